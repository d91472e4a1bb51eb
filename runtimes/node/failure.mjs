import { stringify } from './intrinsics.mjs';
import { masked } from './secrets.mjs';

/** Under which an error has all that a program said of it, as it said it. */
export const asPosted = Symbol('as it was posted');
const maxStackCharacters = 16 * 1024;
const maxMessageCharacters = 16 * 1024;

/**
 * What is told to the platform, see `InvocationFailure` in src/wire/instance-protocol.ts.
 * @typedef {{ code: string, type: string, message: string, stack?: string, payload?: string }} Failure
 */

/** A mistake of the user's code that the runtime found, rather than one that the code threw. */
export class Refusal extends Error {
  /** @param {'InvalidResponse' | 'ResponseTooLarge' | 'HandlerNotFound' | 'InitTimeout' | 'WebSocketUnsupported'} code @param {string} message says what is wrong and what to do */
  constructor(code, message) {
    super(message);
    this.name = code;
    this.code = code;
  }
}

/**
 * What is told of anything that was thrown. Never throws itself, whatever getters the thrown value has.
 * @param {unknown} thrown @param {string} code the error code, unless the thrown value is a Refusal
 * @returns {Failure}
 */
export function failureOf(thrown, code) {
  if (thrown instanceof Refusal) return { code: thrown.code, type: thrown.code, message: masked(thrown.message) };
  try {
    if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) {
      const { name, message, stack, constructor } = /** @type {Error} */ (thrown);
      const type = masked(String(name || constructor?.name || 'Error'));
      const failure = { code, type, message: masked(String(message)).slice(0, maxMessageCharacters), ...payloadOf(thrown) };
      return stack ? { ...failure, stack: masked(withCauses(String(stack), thrown)).slice(0, maxStackCharacters) } : failure;
    }
    const message = typeof thrown === 'object' ? stringify(thrown) : String(thrown);
    return { code, type: thrown === null ? 'null' : typeof thrown, message: masked(message).slice(0, maxMessageCharacters) };
  } catch {
    return { code, type: 'unknown', message: 'something was thrown that cannot be read' };
  }
}

/** @param {object} thrown */
function payloadOf(thrown) {
  const payload = asPosted in thrown ? thrown[asPosted] : undefined;
  return typeof payload === 'string' ? { payload } : {};
}

/** @param {string} stack @param {object} error */
function withCauses(stack, error) {
  let text = stack;
  let at = error;
  for (let depth = 0; depth < 5 && 'cause' in at && at.cause instanceof Error; depth++) {
    at = at.cause;
    text += `\nCaused by: ${/** @type {Error} */ (at).stack}`;
  }
  return text;
}
