// A WebSocket between a caller and a server in this sandbox: their bytes pass, and only that both agree on it, and its end, are of concern here.
import { Buffer } from '../node/intrinsics.mjs';
import { FrameEdges } from './frame-edges.mjs';

const empty = Buffer.alloc(0);
const [goingAway, failed] = [1001, 1011];
const closeFrame = 0x88;
const codeBytes = 2;

export class ProxiedSocket {
  #invocation;
  #server;
  #edges = new FrameEdges();
  /** Bytes that the server has not taken, and that the other side does not know of yet. */
  #owed = 0;
  /** What closes it, once a frame of the server's ends; after that the server has no more to say. @type {Buffer | undefined} */
  #lastWord;
  #isOver = false;
  isOpen = true;

  /** @param {import('../node/invocation.mjs').Invocation} invocation @param {import('node:stream').Duplex} server the connection to it */
  constructor(invocation, server) {
    this.#invocation = invocation;
    this.#server = server;
    server.on('drain', () => this.#payBack());
  }

  /** Resolves when the server has ended it, or the caller is gone. */
  async run() {
    const { reply } = this.#invocation;
    try {
      for await (const chunk of this.#server) if (!(await this.#passOn(chunk))) break;
      reply.done();
    } finally {
      this.isOpen = false;
      this.#server.destroy();
    }
  }

  // What takes the place of the request's body.

  get whole() {
    return empty;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#owed += chunk.length;
    if (this.#server.write(chunk)) this.#payBack();
  }

  end() {
    this.#server.end();
  }

  abort() {
    this.#server.destroy();
  }

  goAway() {
    this.#close(goingAway, 'the platform is stopping');
  }

  fail() {
    this.#close(failed, 'the function failed');
  }

  cut() {
    this.#server.destroy();
  }

  /** @returns {never} */
  accept() {
    throw new TypeError('the server has taken this handshake already');
  }

  /** @param {Buffer} chunk @returns {Promise<boolean>} whether more may be sent */
  #passOn(chunk) {
    const { reply } = this.#invocation;
    if (this.#isOver) return Promise.resolve(true);
    const edge = this.#edges.take(chunk);
    if (this.#lastWord === undefined || edge === undefined) return reply.send(chunk);
    this.#isOver = true;
    return reply.send(Buffer.concat([chunk.subarray(0, edge), this.#lastWord]));
  }

  /** Says so to the caller, whose own word for it ends the server's part. @param {number} code @param {string} reason */
  #close(code, reason) {
    if (this.#lastWord !== undefined) return;
    const payload = Buffer.alloc(codeBytes + reason.length);
    payload.writeUInt16BE(code, 0);
    payload.write(reason, codeBytes, 'latin1');
    this.#lastWord = Buffer.concat([Buffer.from([closeFrame, payload.length]), payload]);
    if (!this.#edges.isAtEdge) return;
    this.#isOver = true;
    void this.#invocation.reply.send(this.#lastWord);
  }

  #payBack() {
    if (this.#owed > 0) this.#invocation.reply.grantRequest(this.#owed);
    this.#owed = 0;
  }
}
