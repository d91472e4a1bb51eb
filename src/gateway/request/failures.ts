/** What a caller is told whose request has had its time. */
import { type ErrorCode, SwiftletError } from '../../model/errors.ts';
import type { Version } from '../../model/function.ts';
import { aliasMark } from '../../model/traffic.ts';
import type { Exchange } from './exchange.ts';
import type { ServedVersion } from '../instances/served-version.ts';

/** Why there was no instance, when it was not that all were busy. */
const toldOf: ReadonlySet<ErrorCode> = new Set(['HostFull', 'Unavailable', 'QuotaExceeded']);

/** No instance became free in time; when the host is the reason, it is said. */
export function queueTimeout({ version, lastRefusal, lastFailure, instances }: ServedVersion): SwiftletError {
  if (lastRefusal !== undefined && toldOf.has(lastRefusal.code)) return lastRefusal;
  const { function: name, config } = version;
  const why =
    lastFailure === undefined ? 'raise "maximum", "concurrency" or "queue.timeout"' : `the last start failed: ${lastFailure.message}`;
  return new SwiftletError(
    'QueueTimeout',
    `no instance of function "${name}" became free within ${config.queueTimeoutMs} ms (${instances} of at most ${config.maximum} run); ${why}`,
    { limit: `${config.queueTimeoutMs} ms of the function's "queue.timeout"` },
  );
}

export const timeLimitExceeded = ({ function: name, config }: Version): SwiftletError =>
  new SwiftletError(
    'Timeout',
    `function "${name}" exceeded its time limit of ${config.timeoutMs} ms; raise "timeout" or do less in one request`,
    { limit: `${config.timeoutMs} ms of the function's "timeout"` },
  );

/** The caller's own time is over, or that of the route by which it came. */
export function callerTimeOver({ served, arrivedAt, callerDeadline, origin, state, taken }: Exchange): SwiftletError {
  const { function: name } = served.version;
  const ms = Math.round(callerDeadline - arrivedAt);
  const where = state === 'dispatched' ? `function "${name}" had not answered` : `no instance of function "${name}" was free`;
  if (taken?.open.route.timeoutMs === ms) {
    const limit = `${ms} ms of the route ${taken.open.routeKey}`;
    return new SwiftletError('Timeout', `${where} within the ${limit}; raise its "timeout", or do less in one request`, { limit });
  }
  const { caller } = origin;
  if (caller !== undefined)
    return new SwiftletError(
      'DeadlineExceeded',
      `${where} within the ${ms} ms that were left to function "${caller.function}", which called it`,
      {
        limit: `the ${ms} ms left to function "${caller.function}"`,
      },
    );
  return new SwiftletError(
    'DeadlineExceeded',
    `${where} within the ${ms} ms that the caller waits, by x-swiftlet-timeout; wait longer, or send it again later`,
    { limit: `x-swiftlet-timeout of ${ms} ms` },
  );
}

export const crashed = ({ function: name }: Version): string =>
  `the process of function "${name}" ended before it answered; its log has its last words`;

/** Its instances end with each request; nobody waits for the next one. @param why the last one ended @param pausedMs until then */
export const crashLoop = ({ message, code, cause }: SwiftletError, inARow: number, pausedMs: number): SwiftletError =>
  new SwiftletError(
    code,
    `${message}. Its instances ended with their requests ${inARow} times in a row: the next one starts in ${Math.ceil(pausedMs)} ms at the earliest; deploy a version that does not`,
    { retryAfterMs: pausedMs, cause },
  );

export const brokeProtocol = ({ function: name }: Version): string =>
  `the process of function "${name}" sent what is no answer; it was replaced`;

export const hungUp = ({ function: name }: Version): string => `the process of function "${name}" closed its connection; it was replaced`;

/** What a request waited for serves no more, and nothing has come in its place. @param wanted the key or id that it named */
export const removed = ({ function: name }: Version, wanted: string): SwiftletError =>
  new SwiftletError(
    'FunctionNotFound',
    `${wanted.slice(wanted.indexOf('/') + 1)} was removed; "swiftlet alias list ${name}" shows what is left`,
  );

export const knowsNothing = (): SwiftletError =>
  new SwiftletError('Unavailable', 'the gateway has just started and does not know the functions yet: control is away');

/** A name or key without its alias. */
export function functionOf(name: string): string {
  const mark = name.indexOf(aliasMark);
  return mark < 0 ? name : name.slice(0, mark);
}

export const unknownFunction = (name: string): SwiftletError =>
  new SwiftletError('FunctionNotFound', `there is no function "${name}"; deploy it, or see "swiftlet list"`);
