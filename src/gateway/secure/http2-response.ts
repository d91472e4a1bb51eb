/** An answer by HTTP/2 that is written as one by HTTP/1.1 is. */
import type { OutgoingHttpHeader } from 'node:http';
import { constants, Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import type { Offer } from '../web-socket/offer.ts';
import { Http2Offer } from './http2-offer.ts';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;
/** Says that the connection ends with the answer; here many share it, and its session says so. */
const connectionHeader = 'connection';

export class Http2Response extends Http2ServerResponse {
  /** The caller's to go on with WebSocket, if it is one. */
  offer: Offer | undefined;

  constructor(stream: ServerHttp2Stream) {
    super(stream);
    Object.defineProperty(this, 'destroyed', { get: () => stream.destroyed });
  }

  /** It is an answer to an extended CONNECT. */
  beOffer(): void {
    this.offer = new Http2Offer(this.stream, (headers) => this.writeHead(200, headers));
  }

  override setHeader(name: string, value: number | string | readonly string[]): void {
    if (name !== connectionHeader) super.setHeader(name, value);
  }

  /** @param headers names and values in turn, or by name */
  // @ts-expect-error -- the type knows neither of the two ways that the class has to give headers one after another
  override writeHead(status: number, headers: readonly string[] | Record<string, OutgoingHttpHeader> = []): this {
    if (!Array.isArray(headers)) return super.writeHead(status, headers as Record<string, OutgoingHttpHeader>);
    const kept: string[] = [];
    for (let at = 0; at + 1 < headers.length; at += 2)
      if (headers[at] !== connectionHeader) kept.push(String(headers[at]), String(headers[at + 1]));
    return super.writeHead(status, kept as unknown as Record<string, OutgoingHttpHeader>);
  }

  /** Who is in the middle of the answer learns that it is broken. */
  override destroy(): this {
    this.stream.close(NGHTTP2_INTERNAL_ERROR);
    return this;
  }

  /** A caller that takes nothing for so long is given up. */
  override setTimeout(ms: number): void {
    this.stream.setTimeout(ms, () => this.stream.close(NGHTTP2_CANCEL));
  }

  /** Once the answer is out, what else comes of the request is not wanted. */
  endUnread(): void {
    this.stream.once('finish', () => this.stream.close(NGHTTP2_NO_ERROR));
  }
}
