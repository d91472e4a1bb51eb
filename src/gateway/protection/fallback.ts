/** What a caller gets in the place of an error, when its function has said what. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, errorKinds, type SwiftletError } from '../../model/errors.ts';
import type { FallbackCause, FallbackConfig } from '../../model/protection.ts';
import { deliveryHeaders } from '../../wire/delivery.ts';
import type { Exchange } from '../request/exchange.ts';
import type { FunctionGuard } from './function-guard.ts';
import { isPlainGet } from './last-good.ts';

/** Says on an answer that it is a fallback, of which kind, and what it stands for. */
export const fallbackHeader = 'x-swiftlet-fallback';

const timeouts: ReadonlySet<ErrorCode> = new Set(['Timeout', 'InitTimeout', 'DeadlineExceeded']);
const overloads: ReadonlySet<ErrorCode> = new Set([
  'TooManyRequests',
  'QuotaExceeded',
  'QueueFull',
  'QueueTimeout',
  'HostFull',
  'Unavailable',
  'DeadlineUnreachable',
]);

/** Undefined for what is the caller's to mend, and for mistakes of ours. */
export function causeOf(code: ErrorCode): FallbackCause | undefined {
  if (timeouts.has(code)) return 'timeout';
  if (overloads.has(code)) return 'overload';
  if (code === 'CircuitOpen') return 'open';
  return errorKinds[code].fault === 'function' ? 'error' : undefined;
}

/** The fallback that is for this error. Events have none: what failed is tried again. */
export function fallbackFor({ config }: FunctionGuard, { headers }: IncomingMessage, code: ErrorCode): FallbackConfig | undefined {
  const { fallback } = config;
  const cause = causeOf(code);
  if (fallback === undefined || cause === undefined || headers[deliveryHeaders.eventId] !== undefined) return undefined;
  return fallback.on.includes(cause) ? fallback : undefined;
}

/** Whether another function can be asked: what has been read of a request, or sent of its answer, is not there for it. */
export const isWhole = ({ headSent, bodyAhead, abandoned }: Pick<Exchange, 'headSent' | 'bodyAhead' | 'abandoned'>): boolean =>
  !headSent && bodyAhead === undefined && abandoned === undefined;

/** An answer that is given in the place of an error. */
export interface Substitute {
  readonly kind: 'answer' | 'last-good';
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** The answer that there is already: a static one, or the last good one. */
export function substituteFor(
  guard: FunctionGuard,
  request: IncomingMessage,
  target: string,
  { code }: SwiftletError,
  nowMs: number,
): Substitute | undefined {
  const fallback = fallbackFor(guard, request, code);
  switch (fallback?.kind) {
    case 'answer':
      return {
        kind: 'answer',
        status: fallback.status,
        headers: Object.entries(fallback.headers).flat(),
        body: Buffer.from(fallback.body),
      };
    case 'last-good': {
      if (!isPlainGet(request.method, request.headers)) return undefined;
      const answer = guard.lastGood?.find(target, fallback.maximumAgeMs, nowMs);
      const age = answer === undefined ? '' : String(Math.floor((nowMs - answer.atMs) / 1_000));
      return answer === undefined ? undefined : { ...answer, kind: 'last-good', headers: [...answer.headers, 'age', age] };
    }
    case 'function':
    case undefined:
      return undefined;
  }
}

/** @param headers the platform's own */
export function writeSubstitute(
  response: ServerResponse,
  { kind, status, headers, body }: Substitute,
  { code }: SwiftletError,
  own: string[],
): void {
  const isBodiless = status === 204 || status === 205 || status === 304;
  const length = isBodiless ? [] : ['content-length', String(body.length)];
  response.writeHead(status, [...headers, ...own, fallbackHeader, `${kind}; cause=${code}`, ...length]);
  response.end(isBodiless ? undefined : body);
}
