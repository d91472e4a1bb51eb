// What an invocation calls itself: context.invoke(). A call goes to the gateway over the connection that the invocation came by, on its stream,
// and the answer comes back the same way. See docs/instance-protocol.md.
import { frame } from './frames.mjs';
import { Buffer, parse, Promise, stringify } from './intrinsics.mjs';

/** As the gateway allows; the others wait for their turn here. */
const maxAtOnce = 16;
const fixedBytes = 6;
const answerBytes = 5;
const longestName = 255;
const kind = { sync: 0, async: 1 };
const outcome = { json: 0, text: 1, accepted: 2, failed: 3 };

/** What a call failed with. `code` and `status` are those of the platform's errors (docs/errors.md). */
class InvokeError extends Error {
  /** @param {{ code?: string, status?: number, detail?: string }} problem */
  constructor({ code = 'Internal', status = 500, detail = '' }) {
    super(detail);
    this.name = 'InvokeError';
    this.code = code;
    this.status = status;
  }
}

/** @typedef {{ readonly payload: Buffer, readonly resolve: (value: unknown) => void, readonly reject: (error: Error) => void }} Call */

export class Calls {
  #channel;
  #stream;
  /** By their numbers: those that the gateway has. @type {Map<number, Call>} */
  #open = new Map();
  /** @type {Call[]} */
  #waiting = [];
  #last = 0;
  /** Why there are no more calls. @type {string | undefined} */
  #ended;

  /** @param {import('./channel.mjs').Channel} channel @param {number} stream */
  constructor(channel, stream) {
    this.#channel = channel;
    this.#stream = stream;
  }

  /**
   * @param {unknown} name of the function
   * @param {unknown} event anything that JSON can say
   * @param {boolean} isAsync whether it is only to be stored
   * @returns {Promise<unknown>} what the function returned; `{ id }` of a stored event
   */
  make(name, event, isAsync) {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw new InvokeError({ code: 'Unavailable', status: 503, detail: this.#ended });
      if (typeof name !== 'string' || name === '' || name.length > longestName)
        throw new TypeError('invoke() takes the name of a function');
      this.#last = (this.#last + 1) >>> 0;
      this.#waiting.push({ payload: encodeCall(this.#last, name, event, isAsync), resolve, reject });
      this.#sendNext();
    });
  }

  /** @param {Buffer} payload of a `callAnswer` */
  take(payload) {
    const number = payload.readUInt32BE(0);
    const call = this.#open.get(number);
    this.#open.delete(number);
    if (call !== undefined) settle(call, payload[answerBytes - 1], payload.toString('utf8', answerBytes));
    this.#sendNext();
  }

  /** No answer comes any more. @param {string} why */
  end(why) {
    this.#ended = why;
    const error = new InvokeError({ code: 'Unavailable', status: 503, detail: why });
    for (const call of [...this.#open.values(), ...this.#waiting]) call.reject(error);
    this.#open.clear();
    this.#waiting.length = 0;
  }

  #sendNext() {
    while (this.#open.size < maxAtOnce) {
      const call = this.#waiting.shift();
      if (call === undefined) return;
      this.#open.set(call.payload.readUInt32BE(0), call);
      this.#channel.send(frame.call, this.#stream, call.payload);
    }
  }
}

/** @param {number} number @param {string} name @param {unknown} event @param {boolean} isAsync */
function encodeCall(number, name, event, isAsync) {
  const json = stringify(event === undefined ? {} : event);
  if (json === undefined) throw new TypeError('invoke() takes an event that JSON can say');
  const head = Buffer.alloc(fixedBytes);
  head.writeUInt32BE(number, 0);
  head[4] = isAsync ? kind.async : kind.sync;
  head[5] = name.length;
  return Buffer.concat([head, Buffer.from(name, 'latin1'), Buffer.from(json)]);
}

/** @param {Call} call @param {number | undefined} how @param {string} text */
function settle({ resolve, reject }, how, text) {
  try {
    if (how === outcome.failed) reject(new InvokeError(parse(text)));
    else resolve(how === outcome.text ? text : text === '' ? undefined : parse(text));
  } catch {
    reject(new InvokeError({ detail: 'the answer cannot be read' }));
  }
}
