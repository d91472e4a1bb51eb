/** What a caller is told whose request has had its time. */
import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import type { ServedVersion } from './served-version.ts';

/** No instance became free in time; when the host is the reason, it is said. */
export function queueTimeout({ version, lastRefusal, instances }: ServedVersion): SwiftletError {
  if (lastRefusal?.code === 'HostFull' || lastRefusal?.code === 'Unavailable') return lastRefusal;
  const { function: name, config } = version;
  return new SwiftletError(
    'QueueTimeout',
    `no instance of function "${name}" became free within ${config.queueTimeoutMs} ms (${instances} of at most ${config.maximum} run); raise "maximum", "concurrency" or "queue.timeout"`,
  );
}

export const timeLimitExceeded = ({ function: name, config }: Version): SwiftletError =>
  new SwiftletError(
    'Timeout',
    `function "${name}" exceeded its time limit of ${config.timeoutMs} ms; raise "timeout" or do less in one request`,
  );

export const crashed = ({ function: name }: Version): string =>
  `the process of function "${name}" ended before it answered; its log has its last words`;

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

export const unknownFunction = (name: string): SwiftletError =>
  new SwiftletError('FunctionNotFound', `there is no function "${name}"; deploy it, or see "swiftlet list"`);
