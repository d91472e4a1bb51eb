/**
 * What several gateways have of limits that hold for them together. It is in memory: gateways say what they hold to the agent that comes after
 * this one, and which nonces they took; tokens of rates are forgotten.
 */
import { SeenNonces } from '../model/seen-nonces.ts';
import { refillMs, takeTokens, type TokenBucket } from '../model/token-bucket.ts';
import type { Peer } from '../wire/calls.ts';
import type { Kept, Permits, Permitted, Taken, Tokens } from '../wire/limit-calls.ts';

/** Behind so many, the bucket used longest ago is forgotten, and is full when it is used again. */
const maxBuckets = 50_000;
/** For so long gateways are waited for that are to give permits back: on a host that stalls, an answer at once takes as long as the stall. */
const recallLimitMs = 2_000;
/** An agent that has just come knows no nonces before gateways have told theirs; so long it waits for all of them. */
const tellLimitMs = 3_000;

export interface SharedLimitsMeans {
  /** Milliseconds of a monotonic clock, and since 1970. */
  readonly now: () => number;
  readonly wallNow: () => number;
  /** How many gateways there are. */
  readonly gateways: number;
}

export class SharedLimits {
  readonly #means: SharedLimitsMeans;
  /** By key: what each gateway holds. */
  readonly #held = new Map<string, Map<Peer, Permitted>>();
  #lastGrant = 0;
  /** Recalls that are waited for, by key. */
  readonly #recalled = new Map<string, Set<(from: Peer) => void>>();
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #nonces = new SeenNonces();
  /** Those that have said all that they have. */
  readonly #told = new Set<Peer>();
  readonly #allTold = Promise.withResolvers<undefined>();

  constructor(means: SharedLimitsMeans) {
    this.#means = means;
    setTimeout(() => this.#allTold.resolve(undefined), tellLimitMs).unref();
  }

  /** Gives a gateway permits: what it wants, or what others leave it once they have given back what they do not use. @returns what it holds */
  async permit({ key, limit, inUse, wanted }: Permits, holder: Peer): Promise<Permitted> {
    if (limit - this.#others(key, holder) < wanted) await this.#recall(key, holder);
    const held = Math.max(inUse, Math.min(wanted, limit - this.#others(key, holder)));
    const permitted = { held, grant: (this.#lastGrant += 1) };
    this.#note(key, permitted, holder);
    return permitted;
  }

  /** A gateway says what it holds. What it says before it has heard of its last grant is outdated. */
  kept({ key, ...kept }: Kept, holder: Peer): void {
    if (kept.grant >= (this.#held.get(key)?.get(holder)?.grant ?? 0)) this.#note(key, kept, holder);
    for (const heard of this.#recalled.get(key) ?? []) heard(holder);
  }

  #note(key: string, permitted: Permitted, holder: Peer): void {
    const all = this.#held.get(key) ?? new Map<Peer, Permitted>();
    this.#held.set(key, all);
    if (permitted.held > 0) all.set(holder, permitted);
    else all.delete(holder);
    if (all.size === 0) this.#held.delete(key);
  }

  /** A gateway has said all that it has. */
  told(holder: Peer): void {
    this.#told.add(holder);
    if (this.#told.size >= this.#means.gateways) this.#allTold.resolve(undefined);
  }

  /** A gateway is gone, with all that it held. */
  left(holder: Peer): void {
    this.#told.delete(holder);
    for (const key of [...this.#held.keys()]) this.kept({ key, held: 0, grant: this.#lastGrant }, holder);
  }

  /** Takes a token of each bucket; of none when one has none. */
  take({ buckets }: Tokens): Taken {
    const now = this.#means.now();
    const after: [string, TokenBucket][] = [];
    for (const [at, { key, ...rate }] of buckets.entries()) {
      const { granted, bucket } = takeTokens(this.#buckets.get(key) ?? { tokens: rate.burst, at: now }, rate, 1, now);
      if (granted === 0) return { empty: { at, retryAfterMs: refillMs(bucket, rate) } };
      after.push([key, bucket]);
    }
    for (const [key, bucket] of after) {
      this.#buckets.delete(key);
      this.#buckets.set(key, bucket);
    }
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= maxBuckets) break;
      this.#buckets.delete(oldest);
    }
    return {};
  }

  /** @returns whether no gateway has taken this nonce before; once all of them can have told which they took */
  async isNew(key: string, nonce: string, untilMs: number): Promise<boolean> {
    await this.#allTold.promise;
    return this.seen(key, nonce, untilMs);
  }

  /** Remembers a nonce. @returns whether it is new */
  seen(key: string, nonce: string, untilMs: number): boolean {
    return this.#nonces.add(key, nonce, untilMs, this.#means.wallNow());
  }

  #others(key: string, holder: Peer): number {
    let held = 0;
    for (const [other, permitted] of this.#held.get(key) ?? []) if (other !== holder && !other.signal.aborted) held += permitted.held;
    return held;
  }

  /** Resolves when all others that hold any have said what they keep, or the time for it is over. */
  #recall(key: string, holder: Peer): Promise<void> {
    const waiting = new Set([...(this.#held.get(key)?.keys() ?? [])].filter((other) => other !== holder && !other.signal.aborted));
    if (waiting.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const all = this.#recalled.get(key) ?? new Set();
      this.#recalled.set(key, all);
      const end = () => {
        clearTimeout(limit);
        all.delete(heard);
        if (all.size === 0) this.#recalled.delete(key);
        resolve();
      };
      const heard = (from: Peer) => {
        waiting.delete(from);
        if (waiting.size === 0) end();
      };
      const limit = setTimeout(end, recallLimitMs);
      all.add(heard);
      for (const other of waiting) other.notify('recall', { key });
    });
  }
}
