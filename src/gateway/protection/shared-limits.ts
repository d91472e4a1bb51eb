/**
 * Limits that hold for several gateways together: of places for requests at once a gateway has some, and asks the agent of its host for more when
 * they are used up; of rates the agent has the buckets. With one gateway nothing of this is there.
 */
import { createHash } from 'node:crypto';
import { SwiftletError } from '../../model/errors.ts';
import type { SeenNonces } from '../../model/seen-nonces.ts';
import type { CallClient } from '../../wire/calls.ts';
import {
  heldPermitsSchema,
  keptSchema,
  newNonceSchema,
  permittedSchema,
  recallSchema,
  seenNoncesSchema,
  takenSchema,
  type Tokens,
} from '../../wire/limit-calls.ts';

/** What is asked of the agent while a request waits for it; longer than the agent waits for the other gateways. */
const answerLimitMs = 5_000;
/** A signed request waits for an agent that has to come first: a replay must not pass meanwhile. */
const nonceLimitMs = 15_000;
/** Of nonces, so many are told in one notice. */
const noncesAtOnce = 500;
/** After a no, so long nothing is asked of the same limit. */
const noForMs = 10;
/** Of a limit, a gateway asks for so much of its own share at once. */
const sharesAtOnce = 4;
/** Rates that are known to be used up; of more, the oldest are asked for again. */
const maxEmpty = 10_000;

interface Holding {
  held: number;
  /** By which grant of the agent; 0 before its first. */
  grant: number;
  inUse: () => number;
  /** Until when no more is asked for. */
  noUntil: number;
  asked: Promise<void> | undefined;
}

export class SharedLimits {
  readonly #agent: Pick<CallClient, 'ask' | 'connected' | 'notify'>;
  readonly #gateways: number;
  readonly #seen: Pick<SeenNonces, 'all'>;
  readonly #holdings = new Map<string, Holding>();
  /** Nonces that the agent is asked for. */
  readonly #undecided = new Set<string>();
  /** Until when buckets have no token, by their keys. */
  readonly #emptyUntil = new Map<string, number>();

  /** @param seen the nonces that this gateway has taken */
  constructor(agent: Pick<CallClient, 'ask' | 'connected' | 'notify'>, gateways: number, seen: Pick<SeenNonces, 'all'>) {
    this.#agent = agent;
    this.#gateways = gateways;
    this.#seen = seen;
  }

  /**
   * Whether this gateway may have one more of a limit now.
   * @param inUse what it has, now and later
   * @returns undefined when it may; else what to wait for, after which `mayHave` says it for good
   */
  lacking(key: string, limit: number, inUse: () => number): Promise<void> | undefined {
    const holding = this.#holdings.get(key) ?? { held: 0, grant: 0, inUse, noUntil: 0, asked: undefined };
    holding.inUse = inUse;
    this.#holdings.set(key, holding);
    if (inUse() < Math.min(limit, holding.held) || performance.now() < holding.noUntil) return undefined;
    holding.asked ??= this.#ask(key, limit, holding).finally(() => (holding.asked = undefined));
    return holding.asked;
  }

  mayHave(key: string, limit: number): boolean {
    const holding = this.#holdings.get(key);
    return holding !== undefined && holding.inUse() < Math.min(limit, holding.held);
  }

  /** Takes a token of each; @returns which one had none, and when it has one; undefined while nobody can say it, with the agent away */
  async take(buckets: Tokens['buckets']): Promise<{ readonly at: number; readonly retryAfterMs: number } | 'taken' | undefined> {
    const now = performance.now();
    for (const [at, { key }] of buckets.entries()) {
      const until = this.#emptyUntil.get(key) ?? 0;
      if (until > now) return { at, retryAfterMs: until - now };
    }
    if (!this.#agent.connected) return undefined;
    try {
      const { empty } = takenSchema.parse(await this.#agent.ask('tokens', { buckets }, answerLimitMs));
      if (empty === undefined) return 'taken';
      this.#rememberEmpty(buckets[empty.at]?.key ?? '', performance.now() + empty.retryAfterMs);
      return empty;
    } catch {
      return undefined;
    }
  }

  /** Whether a signature's nonce is new to all gateways. @throws SwiftletError Unavailable while nobody can say it */
  async isNewNonce(key: string, nonce: string, untilMs: number): Promise<boolean> {
    const id = `${key}/${nonce}`;
    const ask = async () => newNonceSchema.parse(await this.#agent.ask('nonce', { key, nonce, untilMs }, nonceLimitMs)).isNew;
    this.#undecided.add(id);
    try {
      return await ask().catch(async (error: unknown) => {
        // Its successor has not heard of this one; if it has, it was the same agent, and who took it first cannot be known.
        if (await ask()) return true;
        throw error;
      });
    } finally {
      this.#undecided.delete(id);
    }
  }

  /** Notice of the agent: another gateway lacks places. */
  recall(body: unknown): void {
    const { key } = recallSchema.parse(body);
    const holding = this.#holdings.get(key);
    if (holding !== undefined) holding.held = Math.min(holding.held, holding.inUse());
    this.#agent.notify('kept', keptSchema.parse({ key, held: holding?.held ?? 0, grant: holding?.grant ?? 0 }));
  }

  /** Gives back what nobody can ask for any more. @param isThere whether what a limit is of is still there */
  forget(isThere: (key: string) => boolean): void {
    for (const [key, holding] of this.#holdings) {
      if (holding.asked !== undefined || holding.inUse() > 0 || isThere(key)) continue;
      this.#holdings.delete(key);
      if (holding.held > 0) this.#agent.notify('kept', keptSchema.parse({ key, held: 0, grant: holding.grant }));
    }
  }

  /** How many limits it has anything of. */
  get size(): number {
    return this.#holdings.size;
  }

  /** The agent is there, and may be another one than before. */
  tellHeld(): void {
    const all = [...this.#seen.all()].filter(({ key, nonce }) => !this.#undecided.has(`${key}/${nonce}`));
    for (let at = 0; at < all.length; at += noncesAtOnce)
      this.#agent.notify('seen nonces', seenNoncesSchema.parse({ nonces: all.slice(at, at + noncesAtOnce) }));
    for (const holding of this.#holdings.values()) holding.grant = 0;
    const permits = [...this.#holdings].map(([key, { held, grant }]) => ({ key, held, grant }));
    this.#agent.notify('held permits', heldPermitsSchema.parse({ permits }));
  }

  async #ask(key: string, limit: number, holding: Holding): Promise<void> {
    const atOnce = Math.max(1, Math.floor(limit / (sharesAtOnce * this.#gateways)));
    try {
      if (!this.#agent.connected) throw new SwiftletError('Unavailable', 'the agent is away');
      const inUse = holding.inUse();
      const answer = await this.#agent.ask('permits', { key, limit, inUse, wanted: Math.min(limit, inUse + atOnce) }, answerLimitMs);
      Object.assign(holding, permittedSchema.parse(answer));
    } catch {
      // Nobody counts for all: each goes by its own share.
      holding.held = Math.max(holding.held, Math.floor(limit / this.#gateways));
    }
    if (holding.inUse() >= holding.held) holding.noUntil = performance.now() + noForMs;
  }

  #rememberEmpty(key: string, until: number): void {
    this.#emptyUntil.delete(key);
    this.#emptyUntil.set(key, until);
    const [oldest] = this.#emptyUntil.keys();
    if (this.#emptyUntil.size > maxEmpty && oldest !== undefined) this.#emptyUntil.delete(oldest);
  }
}

/** A bucket's key; what callers send is of no known length. */
export const bucketKey = (...parts: readonly string[]): string => createHash('sha256').update(parts.join('\n')).digest('base64url');
