/** An offer to go on with WebSocket on a stream of HTTP/2 (RFC 8441): the connection's other streams go on beside it. */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { acceptedHeaders, type Line, type Offer } from '../web-socket/offer.ts';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;
/** How long a caller may go on sending what nobody reads. */
const lingerMs = 2_000;

export class Http2Offer implements Offer {
  readonly #stream: ServerHttp2Stream;
  readonly #writeHead: (headers: readonly string[]) => void;
  /** One that is refused is over with its answer: nothing else comes of it. */
  readonly #end = (): void => this.#stream.close(NGHTTP2_NO_ERROR);

  /** @param writeHead tells that it is taken */
  constructor(stream: ServerHttp2Stream, writeHead: (headers: readonly string[]) => void) {
    this.#stream = stream;
    this.#writeHead = writeHead;
    stream.once('finish', this.#end);
  }

  accept(headers: readonly string[]): Line {
    const stream = this.#stream;
    stream.off('finish', this.#end);
    this.#writeHead(acceptedHeaders(headers));
    return {
      socket: stream,
      early: [],
      endGently: () => {
        if (stream.destroyed) return;
        const timer = setTimeout(this.#end, lingerMs);
        stream.once('close', () => clearTimeout(timer));
        stream.end();
      },
      cut: () => stream.close(NGHTTP2_CANCEL),
    };
  }
}
