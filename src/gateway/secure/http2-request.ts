/** A request of HTTP/2 that looks as one of HTTP/1.1 does: nothing behind the door asks by which of them it came. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Http2ServerRequest, type IncomingHttpHeaders as Http2Headers, type ServerHttp2Stream } from 'node:http2';
import type { ReadableOptions } from 'node:stream';

const pseudo = ':';
/** What a handshake of WebSocket has in HTTP/1.1 and an extended CONNECT has not (RFC 8441, 5.1). */
const keyHeader = 'sec-websocket-key';
const keyBytes = 16;

/** Whether it is an extended CONNECT for WebSocket. */
const isOffer = (headers: Http2Headers): boolean => headers[':method'] === 'CONNECT' && headers[':protocol'] === 'websocket';

export class Http2Request extends Http2ServerRequest {
  /** Whether its caller offers to go on with WebSocket. */
  readonly isOffer: boolean;

  constructor(stream: ServerHttp2Stream, headers: Http2Headers, options: ReadableOptions, raw: string[]) {
    super(stream, headers, options, raw);
    const [plain, plainRaw] = [plainHeaders(headers), withoutPseudo(raw)];
    const authority = headers[':authority'];
    // Another Host header beside it stays there to be refused: a proxy might go by the one, and we by the other.
    if (authority !== undefined && plain.host !== authority) {
      plain.host = authority;
      plainRaw.push('host', authority);
    }
    const offers = isOffer(headers);
    this.isOffer = offers;
    if (offers) sayHandshake(plain, plainRaw);
    // What HTTP/1.1 says of a body whose length nobody knows. The raw headers, which go on, do not have it.
    else if (headers['content-length'] === undefined && !stream.endAfterHeaders) plain['transfer-encoding'] = 'chunked';
    Object.defineProperties(this, {
      headers: { value: plain },
      rawHeaders: { value: plainRaw },
      ...(offers ? { method: { value: 'GET' } } : {}),
      // Also when nobody has read that there is no body.
      complete: { get: () => offers || stream.endAfterHeaders || this.readableEnded || stream.destroyed },
    });
  }
}

/** Says what one by HTTP/1.1 would have said, to functions too. */
function sayHandshake(plain: IncomingHttpHeaders, plainRaw: string[]): void {
  const key = randomBytes(keyBytes).toString('base64');
  plain.upgrade = 'websocket';
  plain.connection = 'Upgrade';
  plain[keyHeader] = key;
  plainRaw.push(keyHeader, key);
}

function plainHeaders(headers: Http2Headers): IncomingHttpHeaders {
  const plain: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) if (!name.startsWith(pseudo) && value !== undefined) plain[name] = value;
  return plain;
}

function withoutPseudo(raw: readonly string[]): string[] {
  const plain: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (!name.startsWith(pseudo)) plain.push(name, raw[at + 1] ?? '');
  }
  return plain;
}
