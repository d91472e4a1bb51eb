/** What went wrong with a program, in words for its author; this process's own stack says nothing of it. */
export class ProgramFailure extends Error {
  /** @param {string} type as AWS Lambda names it, where it does @param {string} message @param {string} [stack] */
  constructor(type, message, stack = '') {
    super(message);
    this.name = type;
    this.stack = stack;
  }
}
