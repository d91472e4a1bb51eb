/** A request of HTTP/2 that looks as one of HTTP/1.1 does: nothing behind the door asks by which of them it came. */
import type { IncomingHttpHeaders } from 'node:http';
import { Http2ServerRequest, type IncomingHttpHeaders as Http2Headers, type ServerHttp2Stream } from 'node:http2';
import type { ReadableOptions } from 'node:stream';

const pseudo = ':';

export class Http2Request extends Http2ServerRequest {
  constructor(stream: ServerHttp2Stream, headers: Http2Headers, options: ReadableOptions, raw: string[]) {
    super(stream, headers, options, raw);
    const [plain, plainRaw] = [plainHeaders(headers), withoutPseudo(raw)];
    const authority = headers[':authority'];
    // Another Host header beside it stays there to be refused: a proxy might go by the one, and we by the other.
    if (authority !== undefined && plain.host !== authority) {
      plain.host = authority;
      plainRaw.push('host', authority);
    }
    // What HTTP/1.1 says of a body whose length nobody knows. The raw headers, which go on, do not have it.
    if (headers['content-length'] === undefined && !stream.endAfterHeaders) plain['transfer-encoding'] = 'chunked';
    Object.defineProperties(this, {
      headers: { value: plain },
      rawHeaders: { value: plainRaw },
      // Also when nobody has read that there is no body.
      complete: { get: () => stream.endAfterHeaders || this.readableEnded || stream.destroyed },
    });
  }
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
