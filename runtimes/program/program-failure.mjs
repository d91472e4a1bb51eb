import { asPosted } from '../node/failure.mjs';

/** What went wrong with a program, in words for its author; this process's own stack says nothing of it. */
export class ProgramFailure extends Error {
  /** @param {string} type as AWS Lambda names it, where it does @param {string} message @param {string} [stack] @param {string} [payload] all that it said, as it said it */
  constructor(type, message, stack = '', payload = undefined) {
    super(message);
    this.name = type;
    this.stack = stack;
    /** @type {string | undefined} */
    this[asPosted] = payload;
  }
}
