/** What protects one function as a whole, over all its versions: those, too, that serve no more and still have requests. */
import { type ProtectionConfig, protectionSchema } from '../../model/protection.ts';
import { LastGood } from './last-good.ts';
import { RateLimits } from './rate-limits.ts';

/** How much of a tenant's requests at once is set aside for some of its functions, and in use by them. */
export interface TenantShare {
  reserved: number;
  reservedInFlight: number;
}

export class FunctionGuard {
  config: ProtectionConfig = protectionSchema.parse({});
  rates = new RateLimits([]);
  /** There when the last good answer is its fallback. */
  lastGood: LastGood | undefined;
  share: TenantShare = { reserved: 0, reservedInFlight: 0 };
  /** Requests under way or waiting. */
  inFlight = 0;

  /** Takes a new state of its function. @param share of its tenant, of this state; what the function uses is added to it */
  update(config: ProtectionConfig, share: TenantShare): void {
    if (config !== this.config) this.#configure(config);
    this.share = share;
    if (config.reservedConcurrency !== undefined) share.reservedInFlight += this.inFlight;
  }

  /** What goes on as it was keeps what it counted. */
  #configure(config: ProtectionConfig): void {
    if (JSON.stringify(config.rates) !== JSON.stringify(this.config.rates)) this.rates = new RateLimits(config.rates);
    this.lastGood = config.fallback?.kind === 'last-good' ? (this.lastGood ?? new LastGood()) : undefined;
    this.config = config;
  }

  entered(): void {
    this.#count(1);
  }

  left(): void {
    this.#count(-1);
  }

  #count(change: number): void {
    this.inFlight += change;
    if (this.config.reservedConcurrency !== undefined) this.share.reservedInFlight += change;
  }
}
