// A caller's offer to go on with WebSocket, and the connection that the invocation is once its handler has taken it.
import { flattenFetchHeaders } from './fetch-headers.mjs';
import { checkHeaders } from './function-url-response.mjs';
import { withRequest } from './logs.mjs';
import { Buffer, defineProperty } from './intrinsics.mjs';

const switchingProtocols = 101;
const empty = Buffer.alloc(0);

/** @typedef {ReturnType<typeof import('./web-socket.mjs').openWebSocket>} Connection */

export class Upgrade {
  #invocation;
  #library;
  /** @type {{ connection: Connection, response: Response } | undefined} */
  #taken;
  #isOpen = false;

  /** @param {import('./invocation.mjs').Invocation} invocation @param {typeof import('./web-socket.mjs')} library */
  constructor(invocation, library) {
    this.#invocation = invocation;
    this.#library = library;
  }

  /** Whether it is a connection by now. */
  get isOpen() {
    return this.#isOpen;
  }

  /**
   * Takes the offer: the connection opens when fetch() returns the response.
   * @param {{ protocol?: string }} [options] protocol: one of those that the caller offers
   * @returns {{ socket: WebSocket, response: Response }}
   */
  accept({ protocol } = {}) {
    if (this.#taken !== undefined) throw new TypeError('this handshake was taken already');
    const { reply, head } = this.#invocation;
    const connection = this.#library.openWebSocket(headersOf(head[7]), protocol, {
      send: (bytes) => reply.send(bytes),
      grant: (bytes) => reply.grantRequest(bytes),
    });
    const response = new Response(null, protocol === undefined ? {} : { headers: { 'sec-websocket-protocol': protocol } });
    // A Response cannot be made with this status.
    defineProperty(response, 'status', { value: switchingProtocols });
    this.#taken = { connection, response };
    return { socket: /** @type {WebSocket} */ (/** @type {unknown} */ (connection.socket)), response };
  }

  /** Whether what fetch() returned opens the connection. @param {unknown} returned */
  isTakenBy(returned) {
    return this.#taken !== undefined && returned === this.#taken.response;
  }

  /** Answers the handshake. Resolves when the connection is closed. */
  async run() {
    if (this.#taken === undefined || this.#invocation.isCancelled) return;
    const { connection, response } = this.#taken;
    const { reply } = this.#invocation;
    const headers = flattenFetchHeaders(response.headers);
    checkHeaders(headers);
    reply.head(switchingProtocols, headers);
    this.#isOpen = true;
    this.#invocation.body = this;
    this.#inRequest(() => connection.open());
    await connection.closed;
    reply.done();
  }

  // What takes the place of the request's body.

  get whole() {
    return empty;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#inRequest((connection) => connection.take(chunk));
  }

  end() {
    this.#inRequest((connection) => connection.takeEnd());
  }

  abort() {
    this.#inRequest((connection) => connection.cut());
  }

  goAway() {
    this.#inRequest((connection) => connection.goAway());
  }

  /** The invocation fails: the caller is told, as far as it takes what is sent. */
  fail() {
    this.#taken?.connection.fail();
  }

  /** Ends what is left of it. */
  cut() {
    this.#taken?.connection.cut();
  }

  /** What listeners throw at once fails this connection alone. @param {(connection: Connection) => void} act */
  #inRequest(act) {
    withRequest(this.#invocation.requestId, () => {
      try {
        if (this.#taken !== undefined) act(this.#taken.connection);
      } catch (error) {
        this.#invocation.fail(error);
      }
    });
  }
}

/** @param {readonly string[]} raw names and values in turn */
function headersOf(raw) {
  /** @type {Record<string, string>} */
  const headers = {};
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]];
    if (name === 'upgrade' || name.startsWith('sec-websocket-')) headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}
