/** How many requests a function, or a route, takes in a second, together and from each of its callers. Budget: 0.2 µs for each rate that it has. */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import type { Rate } from '../../model/protection.ts';
import { refillMs, takeTokens, type TokenBucket } from '../../model/token-bucket.ts';

/** Callers that are remembered; behind so many, the one that came longest ago is forgotten, and starts with a full bucket. */
const maxCallers = 10_000;
/** The bucket of all callers together. */
const everybody = '';

type Limiter = 'function' | 'route';
const remedies: Readonly<Record<Limiter, string>> = { function: '"protect.rates"', route: 'its "rates"' };

interface Limited {
  readonly rate: Rate;
  /** In the order of the last request. */
  readonly buckets: Map<string, TokenBucket>;
}

export class RateLimits {
  readonly #limits: readonly Limited[];

  constructor(rates: readonly Rate[]) {
    this.#limits = rates.map((rate) => ({ rate, buckets: new Map() }));
  }

  /** Which buckets a request takes a token of, in their order: where another process has them. */
  keys(headers: IncomingHttpHeaders, sourceIp: string): { readonly id: string; readonly rate: Pick<Rate, 'perSecond' | 'burst'> }[] {
    return this.#limits.map(({ rate }, at) => {
      const { perSecond, burst } = rate;
      return { id: JSON.stringify([at, perSecond, burst, keyOf(rate, headers, sourceIp)]), rate: { perSecond, burst } };
    });
  }

  /** Why a request is refused. @param at the number of the bucket that has no token, as in `keys` */
  exceeded(name: string, at: number, retryAfterMs: number, of: Limiter = 'function'): SwiftletError | undefined {
    const limited = this.#limits[at];
    return limited === undefined ? undefined : exceeded(name, of, limited.rate, retryAfterMs);
  }

  /**
   * Takes a token of each rate; of none when one has none.
   * @param name the function's, for the message; or the route's, as `of` says
   * @returns why the request is refused; undefined when it is not
   */
  take(name: string, headers: IncomingHttpHeaders, sourceIp: string, nowMs: number, of: Limiter = 'function'): SwiftletError | undefined {
    if (this.#limits.length === 0) return undefined;
    const taken: { buckets: Map<string, TokenBucket>; key: string; bucket: TokenBucket }[] = [];
    for (const { rate, buckets } of this.#limits) {
      const key = keyOf(rate, headers, sourceIp);
      const { granted, bucket } = takeTokens(buckets.get(key) ?? { tokens: rate.burst, at: nowMs }, rate, 1, nowMs);
      if (granted === 0) return exceeded(name, of, rate, refillMs(bucket, rate));
      taken.push({ buckets, key, bucket });
    }
    for (const { buckets, key, bucket } of taken) remember(buckets, key, bucket);
    return undefined;
  }
}

function keyOf({ key }: Rate, headers: IncomingHttpHeaders, sourceIp: string): string {
  if (key === undefined) return everybody;
  return 'header' in key ? String(headers[key.header] ?? '') : sourceIp;
}

function remember(buckets: Map<string, TokenBucket>, key: string, bucket: TokenBucket): void {
  buckets.delete(key);
  buckets.set(key, bucket);
  if (buckets.size <= maxCallers) return;
  const [oldest] = buckets.keys();
  if (oldest !== undefined) buckets.delete(oldest);
}

function exceeded(name: string, of: Limiter, rate: Rate, retryAfterMs: number): SwiftletError {
  const whose = rate.key === undefined ? '' : 'header' in rate.key ? ` for each value of ${rate.key.header}` : ' for each caller’s address';
  const limit = `${rate.perSecond} requests/s (burst ${rate.burst})${whose}`;
  return new SwiftletError('RateLimited', `${of} "${name}" takes ${limit}; send slower, or raise ${remedies[of]}`, {
    limit,
    retryAfterMs,
  });
}
