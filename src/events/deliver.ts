/** One delivery to a function: the event as an HTTP request to the gateway's own socket for them. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { maxBodyBytes } from '../model/limits.ts';
import { tenantPath } from '../model/tenant-path.ts';
import { deliveryHeaders, wayHeaders } from '../wire/delivery.ts';
import type { CallerRequest, EventRequest } from '../wire/event-calls.ts';
import type { Outcome } from './decide.ts';
import type { FunctionRef } from './event-log.ts';
import { type DeliveryAnswer, outcomeOf } from './outcome.ts';

export interface Delivery<Request extends EventRequest = EventRequest> extends FunctionRef {
  readonly id: string;
  readonly request: Request;
  readonly body: Uint8Array;
  /** Invocations in a row that functions caused, this one among them. */
  readonly hops: number;
  /** Whether the function exists, as far as this process knows. */
  readonly isServed: boolean;
  /** After this it is given up. */
  readonly limitMs: number;
}

/** Never rejects. When the signal aborts, it is given up. */
export type Deliver<Request extends EventRequest = EventRequest> = (delivery: Delivery<Request>, signal: AbortSignal) => Promise<Outcome>;

/** Of an answer, so much is kept unless something else is asked for; the rest is read and thrown away. */
const usuallyKeptBytes = 16 * 1024;

/**
 * Delivers to a gateway; to one after the other where there are several, and to the next where one cannot be reached. Each delivery has a
 * connection of its own: one that is kept could break between two, and nobody would know whether the second had begun.
 */
export function deliverTo(socketPaths: readonly string[], keptBytes = usuallyKeptBytes): Deliver<CallerRequest> {
  let turn = 0;
  return async (delivery, signal) => {
    if (delivery.body.length > maxBodyBytes) return tooLarge(delivery.body.length);
    const first = turn++;
    let why: unknown;
    for (let tried = 0; tried < socketPaths.length; tried++) {
      const way = { isConnected: false };
      const socketPath = socketPaths[(first + tried) % socketPaths.length] ?? '';
      try {
        return outcomeOf(await answerTo(socketPath, delivery, signal, way, keptBytes), delivery.isServed);
      } catch (error) {
        if (way.isConnected || signal.aborted) return way.isConnected ? interrupted(messageOf(error)) : unreachable(messageOf(error));
        why = error;
      }
    }
    return unreachable(messageOf(why));
  };
}

async function answerTo(
  socketPath: string,
  delivery: Delivery<CallerRequest>,
  signal: AbortSignal,
  way: { isConnected: boolean },
  keptBytes: number,
): Promise<DeliveryAnswer> {
  const request = httpRequest({ socketPath, agent: false, signal, ...lineOf(delivery), headers: headersOf(delivery) });
  // Who waits for the answer hears of it; what comes afterwards is nobody's concern.
  request.on('error', () => undefined);
  const limit = setTimeout(() => request.destroy(new Error(`no answer within ${delivery.limitMs} ms`)), delivery.limitMs);
  try {
    request.once('socket', (socket) => {
      socket.once('connect', () => (way.isConnected = true));
    });
    request.end(delivery.body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return await readAnswer(response, keptBytes);
  } finally {
    clearTimeout(limit);
    request.destroy();
  }
}

const lineOf = ({
  request: { kind, method, target },
  tenant,
  function: name,
}: Delivery<CallerRequest>): { method: string; path: string } =>
  kind === 'http'
    ? { method, path: `${tenantPath(tenant)}/${name}${target}` }
    : { method: 'POST', path: `/_/invoke${tenantPath(tenant)}/${name}` };

/** Names and values in turn, as they came; node:http would join those that come twice. */
const headersOf = ({ id, hops, request: { kind, headers, sourceIp, caller, lane, way }, body }: Delivery<CallerRequest>): string[] => [
  ...(kind === 'http' ? headers : ['host', 'gateway', ...headers]),
  deliveryHeaders.eventId,
  id,
  deliveryHeaders.sourceIp,
  sourceIp,
  deliveryHeaders.hops,
  String(hops),
  ...(caller === undefined ? [] : [deliveryHeaders.caller, `${caller.function} ${caller.requestId}`]),
  ...wayHeaders(lane, way),
  'content-length',
  String(body.length),
  'connection',
  'close',
];

async function readAnswer(response: IncomingMessage, keptBytes: number): Promise<DeliveryAnswer> {
  const kept: Buffer[] = [];
  let keptSoFar = 0;
  let isTruncated = false;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, keptBytes - keptSoFar);
    if (part.length > 0) kept.push(part);
    keptSoFar += part.length;
    isTruncated ||= part.length < chunk.length;
  }
  if (!response.complete) throw new Error('the answer is not whole');
  const platformError = response.headers[deliveryHeaders.error];
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'],
    platformError: typeof platformError === 'string' ? platformError : undefined,
    body: Buffer.concat(kept),
    isTruncated,
  };
}

/** The gateway would say so, too, and end the connection: while much is being written to it, its word may be lost. */
const tooLarge = (bytes: number): Outcome => ({
  kind: 'refused',
  error: {
    code: 'RequestTooLarge',
    message: `it has ${bytes} bytes, and a request’s body at most ${maxBodyBytes}; send less, or send a link to it`,
  },
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const interrupted = (why: string): Outcome => ({
  kind: 'failed',
  error: { code: 'DeliveryInterrupted', message: `the delivery broke off (${why}); the function may have run` },
});

const unreachable = (why: string): Outcome => ({
  kind: 'throttled',
  error: { code: 'Unavailable', message: `the gateway cannot be reached: ${why}` },
});
