// The frames of a WebSocket, read and written here, in the sandbox. A file of its own beside the runtime's one, with the library in it, and
// loaded by the first handshake: it has no part of the runtime's state.
import { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

/** A message may be as long as a request's body. */
const maxMessageBytes = 6 * 1024 * 1024;
/** How long the caller has for its word that it closes, too. */
const closeTimeoutMs = 5_000;
/** A caller that says nothing for so long is asked whether it is there; after as long again it is taken for gone. */
const pingEveryMs = 30_000;
const [goingAway, failed] = [1001, 1011];
const nothing = Buffer.alloc(0);

/**
 * The two directions of a connection.
 * @typedef {object} Line
 * @property {(bytes: Buffer) => Promise<unknown>} send resolves when more may be sent
 * @property {(bytes: number) => void} grant lets so many bytes more come
 */

/** @type {(options: import('ws').ServerOptions & { closeTimeout: number }) => WebSocketServer} */
const serverOf = (options) => new WebSocketServer(options);
/** Compressed frames are not offered: a few bytes of them could fill the memory that the function has. */
const server = serverOf({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: maxMessageBytes,
  closeTimeout: closeTimeoutMs,
  handleProtocols: (_offered, request) => /** @type {Handshake} */ (/** @type {unknown} */ (request)).protocol ?? false,
});

/** @typedef {{ method: 'GET', url: string, headers: Record<string, string>, protocol: string | undefined }} Handshake */

/** The line as a stream of bytes, as the library wants it. */
class Wire extends Duplex {
  #line;
  /** The library answers the handshake by its first write; the platform has said that already, in its own words. */
  #isAnswered = false;
  #hasEnded = false;
  /** Bytes that were read, or soon will be, and that the line does not know of yet. */
  #owed = 0;

  /** @param {Line} line */
  constructor(line) {
    super();
    this.#line = line;
    // Until it is open.
    this.cork();
  }

  /** @param {Buffer} chunk */
  arrive(chunk) {
    if (this.#hasEnded) return;
    this.#owed += chunk.length;
    // A copy: the memory that it came in holds other frames too, and it is unmasked where it lies.
    if (this.push(Buffer.from(chunk))) this.#payBack();
  }

  /** Nothing more comes. */
  arriveEnd() {
    if (!this.#hasEnded) this.push(null);
    this.#hasEnded = true;
  }

  /** @override */
  _read() {
    this.#payBack();
  }

  /** @override @param {Buffer} chunk @param {string} _encoding @param {() => void} next */
  _write(chunk, _encoding, next) {
    this.#send([chunk], next);
  }

  /** @override @param {Array<{ chunk: Buffer }>} entries @param {() => void} next */
  _writev(entries, next) {
    this.#send(
      entries.map(({ chunk }) => chunk),
      next,
    );
  }

  /** @override @param {() => void} next */
  _final(next) {
    next();
    // Who has said its last word waits for none.
    this.arriveEnd();
  }

  /** @param {Buffer[]} chunks @param {() => void} next */
  #send(chunks, next) {
    const rest = this.#isAnswered ? chunks : chunks.slice(1);
    this.#isAnswered = true;
    const bytes = rest.length === 1 && rest[0] !== undefined ? rest[0] : Buffer.concat(rest);
    if (bytes.length === 0) next();
    else void this.#line.send(bytes).then(() => next());
  }

  #payBack() {
    if (this.#owed > 0) this.#line.grant(this.#owed);
    this.#owed = 0;
  }
}

/**
 * Takes a handshake.
 * @param {Record<string, string>} headers of the request, names in lower case
 * @param {string | undefined} protocol one of those that the caller offers
 * @param {Line} line
 * @param {number} [pingMs]
 */
export function openWebSocket(headers, protocol, line, pingMs = pingEveryMs) {
  demandOffered(protocol, headers['sec-websocket-protocol']);
  const wire = new Wire(line);
  /** @type {import('ws').WebSocket | undefined} */
  let made;
  /** @type {Handshake} */
  const handshake = { method: 'GET', url: '/', headers, protocol };
  server.handleUpgrade(/** @type {any} */ (handshake), wire, nothing, (socket) => (made = socket));
  if (made === undefined) throw new Error('the request is no WebSocket handshake');
  return connect(made, wire, pingMs);
}

/** @param {string | undefined} protocol @param {string} [offered] */
function demandOffered(protocol, offered = '') {
  const all = offered.split(',').map((one) => one.trim());
  if (protocol !== undefined && !all.includes(protocol))
    throw new TypeError(`the caller does not offer the protocol "${protocol}"; it offers ${offered === '' ? 'none' : offered}`);
}

/** @param {import('ws').WebSocket} socket @param {Wire} wire @param {number} pingMs */
function connect(socket, wire, pingMs) {
  socket.binaryType = 'arraybuffer';
  // Without a listener it would end the process; the `close` that follows says all of it.
  socket.on('error', () => undefined);
  let isHeard = true;
  /** @type {NodeJS.Timeout | undefined} */
  let asking;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  void closed.then(() => clearInterval(asking));
  return {
    socket,
    /** Resolves when it is closed, and who listens for that has been told. */
    closed,
    /** The platform has answered the handshake. */
    open() {
      wire.uncork();
      asking = setInterval(() => {
        if (isHeard) socket.ping();
        else socket.terminate();
        isHeard = false;
      }, pingMs);
      socket.emit('open');
    },
    /** @param {Buffer} chunk what came from the caller */
    take(chunk) {
      isHeard = true;
      wire.arrive(chunk);
    },
    takeEnd: () => wire.arriveEnd(),
    goAway: () => socket.close(goingAway, 'the platform is stopping'),
    fail: () => socket.close(failed, 'the function failed'),
    cut: () => socket.terminate(),
  };
}
