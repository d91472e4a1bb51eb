/** What a tenant has of its quotas at this gateway. Budget: 0.1 µs a request; 0.02 µs for a tenant without any. */
import { SwiftletError } from '../../model/errors.ts';
import { quotaExceeded, type Quotas } from '../../model/tenant.ts';

const msPerSecond = 1_000;
const dayMs = 86_400_000;

/** Requests a second, as a bucket: as many as come in a second may come at once. Time is an argument. */
export class RequestBucket {
  #level: number;
  #atMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.#level = perSecond;
    this.#atMs = nowMs;
  }

  /** Takes a place. @param nowMs of a monotonic clock @returns whether there was one */
  take(perSecond: number, nowMs: number): boolean {
    this.#level = Math.min(perSecond, this.#level + ((nowMs - this.#atMs) * perSecond) / msPerSecond);
    this.#atMs = nowMs;
    if (this.#level < 1) return false;
    this.#level -= 1;
    return true;
  }
}

export class TenantMeter {
  readonly tenant: string;
  quotas: Quotas = {};
  /** The day, in UTC, on which its quota of GB-seconds is used up, as the number of days since 1970. */
  spentOn: number | undefined;
  #bucket: RequestBucket | undefined;

  constructor(tenant: string) {
    this.tenant = tenant;
  }

  /**
   * Lets a request in, or says why not.
   * @param inFlight its requests that are under way or wait at this gateway
   * @param usualLimit how many they may be at most where its quotas do not say it
   * @param nowMs of a monotonic clock; absent: its rate is not this gateway's to count
   */
  refusal(inFlight: number, usualLimit: number, nowMs?: number): SwiftletError | undefined {
    const { concurrency, gbSecondsPerDay } = this.quotas;
    if (concurrency !== undefined && inFlight >= concurrency)
      return quotaExceeded(this.tenant, 'concurrency', concurrency, `${inFlight} requests are under way`);
    if (concurrency === undefined && inFlight >= usualLimit)
      return new SwiftletError('TooManyRequests', `${usualLimit} requests are under way already; send fewer at once`, {
        limit: `${usualLimit} requests at once`,
      });
    if (this.spentOn !== undefined && gbSecondsPerDay !== undefined) {
      const wallMs = Date.now();
      if (this.spentOn === Math.floor(wallMs / dayMs))
        return quotaExceeded(this.tenant, 'gbSecondsPerDay', gbSecondsPerDay, 'it is free again at midnight UTC', msToMidnight(wallMs));
    }
    return nowMs === undefined ? undefined : this.rateRefusal(nowMs);
  }

  /** Counts a request, or says that too many came. @param nowMs of a monotonic clock */
  rateRefusal(nowMs: number): SwiftletError | undefined {
    const { requestsPerSecond } = this.quotas;
    return requestsPerSecond === undefined || this.#take(requestsPerSecond, nowMs) ? undefined : this.tooFast(requestsPerSecond);
  }

  tooFast(requestsPerSecond: number): SwiftletError {
    return quotaExceeded(this.tenant, 'requestsPerSecond', requestsPerSecond, 'more came than that');
  }

  #take(perSecond: number, nowMs: number): boolean {
    this.#bucket ??= new RequestBucket(perSecond, nowMs);
    return this.#bucket.take(perSecond, nowMs);
  }
}

const msToMidnight = (nowMs: number): number => dayMs - (nowMs % dayMs);
