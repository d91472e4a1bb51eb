/** Requests that the gateway hands to itself: over the socket for deliveries, so that each goes the way of any other. */
import { once } from 'node:events';
import { Agent, request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { tenantPath } from '../../model/tenant-path.ts';
import { deliveryHeaders } from '../../wire/delivery.ts';
import { type Origin, originHeaders } from './origin.ts';
import { versionHeader } from '../routing/pick-version.ts';

/** An event for a function, whose answer is waited for. */
export interface InnerRequest {
  readonly id: string;
  readonly tenant: string;
  /** The function's name, or its alias's: `f:beta`. */
  readonly name: string;
  /** A version of the function, instead of what serves. */
  readonly version?: number | undefined;
  readonly event: Buffer;
  readonly sourceIp: string;
  readonly origin: Origin;
}

export interface InnerAnswer {
  readonly status: number;
  readonly contentType: string;
  /** The code of what went wrong, when the platform says it. */
  readonly error: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer that comes as the function sends it. */
export interface InnerStream {
  readonly error: undefined;
  readonly headers: IncomingHttpHeaders;
  readonly stream: AsyncIterable<Buffer>;
}

const maxIdleConnections = 32;

export class InnerRequests implements Disposable {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: maxIdleConnections });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /**
   * Sends an event and reads the answer as a whole.
   * @param takes whether so many more bytes of the answer may be held
   * @param signal ends it: the function learns that nobody waits any more
   * @throws SwiftletError ResponseTooLarge when no more may be held, Unavailable when the gateway is stopping
   */
  async send(inner: InnerRequest, takes: (bytes: number) => boolean, signal: AbortSignal): Promise<InnerAnswer> {
    return this.#sent(inner, signal, (response) => readAnswer(response, takes));
  }

  /**
   * Sends an event. What was refused, or has failed, is read as a whole; else the body is the caller's to read.
   * @throws as `send`
   */
  async open(inner: InnerRequest, takes: (bytes: number) => boolean, signal: AbortSignal): Promise<InnerAnswer | InnerStream> {
    return this.#sent<InnerAnswer | InnerStream>(inner, signal, (response) =>
      response.headers[deliveryHeaders.error] === undefined
        ? { headers: response.headers, error: undefined, stream: response }
        : readAnswer(response, takes),
    );
  }

  async #sent<T>(inner: InnerRequest, signal: AbortSignal, read: (response: IncomingMessage) => T | Promise<T>): Promise<T> {
    const request = this.#request(inner, signal);
    try {
      request.end(inner.event);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return await read(response);
    } catch (error) {
      request.destroy();
      if (error instanceof SwiftletError) throw error;
      throw new SwiftletError('Unavailable', `function "${inner.name}" could not be asked: the gateway is stopping`, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #request({ id, tenant, name, version, event, sourceIp, origin }: InnerRequest, signal: AbortSignal): ClientRequest {
    const request = httpRequest({
      socketPath: this.#socketPath,
      agent: this.#agent,
      signal,
      method: 'POST',
      path: `/_/invoke${tenantPath(tenant)}/${name}`,
      headers: [
        'host',
        'gateway',
        deliveryHeaders.eventId,
        id,
        deliveryHeaders.sourceIp,
        sourceIp,
        deliveryHeaders.inner,
        'yes',
        ...originHeaders(origin),
        ...(version === undefined ? [] : [versionHeader, String(version)]),
        'content-length',
        String(event.length),
      ],
    });
    // Who waits for the answer hears of it; what comes afterwards is nobody's concern.
    request.on('error', () => undefined);
    return request;
  }
}

async function readAnswer(response: IncomingMessage, takes: (bytes: number) => boolean): Promise<InnerAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (!takes(chunk.length))
      throw new SwiftletError('ResponseTooLarge', 'the answer is longer than what may be held of it; hand over a reference');
    chunks.push(chunk);
  }
  const error = response.headers[deliveryHeaders.error];
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'] ?? '',
    error: typeof error === 'string' ? error : undefined,
    headers: response.headers,
    body: Buffer.concat(chunks),
  };
}
