import { Refusal } from '../node/failure.mjs';
import { ProgramFailure } from './program-failure.mjs';
import { endInWords } from './program.mjs';

export const usualMs = 10_000;

/**
 * Waits for a program to be ready.
 * @template T
 * @param {Promise<T>} ready
 * @param {import('./program.mjs').Program} program
 * @param {{ limitMs: number, what: string }} wait what it has to do to be ready, in words
 * @returns {Promise<T>}
 * @throws ProgramFailure Runtime.ExitError when it ends before, Refusal InitTimeout; both with its last lines
 */
export async function readyWithin(ready, program, { limitMs, what }) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    const message = () => `it did not ${what}; let it do so sooner or raise "initTimeout"; ${tail(program)}`;
    timer = setTimeout(() => reject(new Refusal('InitTimeout', message())), limitMs);
  });
  const over = program.ended.then((end) => {
    throw new ProgramFailure('Runtime.ExitError', `Runtime exited before it could ${what}: ${endInWords(end)}; ${tail(program)}`);
  });
  try {
    return await /** @type {Promise<T>} */ (Promise.race([ready, late, over]));
  } finally {
    clearTimeout(timer);
    over.catch(() => undefined);
  }
}

/** @param {import('./program.mjs').Program} program */
function tail(program) {
  const words = program.lastWords();
  return words === '' ? 'it printed nothing' : `its last lines:\n${words}`;
}

/**
 * @param {Promise<void>} work @param {{ limitMs: number, what: string }} wait what did not come to pass, in words
 * @throws Refusal InitTimeout
 */
export async function within(work, { limitMs, what }) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Refusal('InitTimeout', `${what}; let it do so sooner or raise "initTimeout"`)), limitMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
