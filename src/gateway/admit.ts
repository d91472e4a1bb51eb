/** Whether a request may come in at all: the limits that are known before anything is done for it. */
import { SwiftletError } from '../model/errors.ts';
import { maxBodyBytes } from '../model/limits.ts';
import { bodyTooLarge } from './dispatch.ts';
import type { ServedVersion } from './served-version.ts';

/** What is in flight of the function's tenant at this gateway. */
export interface Load {
  readonly inFlight: number;
  readonly tenantInFlight: number;
}

/** @returns why a request is refused, or undefined when it may come in */
export function refusal(served: ServedVersion, bodyLength: number, load: Load, now: number): SwiftletError | undefined {
  const { version, lastFailure } = served;
  if (bodyLength > maxBodyBytes) return bodyTooLarge();
  if (load.inFlight >= load.tenantInFlight)
    return new SwiftletError('TooManyRequests', `${load.tenantInFlight} requests are under way already; send fewer at once`);
  if (lastFailure !== undefined && served.instances === 0 && now < served.pausedUntil) return lastFailure;
  const { queueLength } = version.config;
  if (served.waiting >= queueLength && served.free.length === 0) {
    return new SwiftletError(
      'QueueFull',
      `${served.waiting} requests wait for function "${version.function}" already; raise "queue.length" or "maximum", or send fewer at once`,
    );
  }
  return undefined;
}
