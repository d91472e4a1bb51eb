const maxStackCharacters = 16 * 1024;
const maxMessageCharacters = 64 * 1024;

/** A mistake of the user's code that the platform found, rather than one that the code threw. */
export class Refusal extends Error {
  /** @param {string} code one of the platform's error codes @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = code;
    this.code = code;
    this.isRefusal = true;
  }
}

/**
 * What is told of anything that was thrown.
 * @param {unknown} thrown @param {string} code the error code, unless the thrown value is a Refusal
 */
export function failureOf(thrown, code) {
  if (thrown instanceof Refusal) return { code: thrown.code, type: thrown.code, message: thrown.message };
  try {
    if (thrown instanceof Error || (typeof thrown === 'object' && thrown !== null && 'message' in thrown)) {
      const { name, message, stack } = /** @type {Error} */ (thrown);
      const type = String(name || thrown.constructor?.name || 'Error');
      return {
        code,
        type,
        message: String(message).slice(0, maxMessageCharacters),
        ...(stack ? { stack: String(stack).slice(0, maxStackCharacters) } : {}),
      };
    }
    return {
      code,
      type: typeof thrown,
      message: String(typeof thrown === 'object' ? JSON.stringify(thrown) : thrown).slice(0, maxMessageCharacters),
    };
  } catch {
    return { code, type: 'unknown', message: 'something was thrown that cannot be read' };
  }
}
