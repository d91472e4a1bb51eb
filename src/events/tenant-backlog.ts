/** How many events of each tenant have not ended. This process alone accepts and ends them, so that it can count along. */
import { quotaExceeded } from '../model/tenant.ts';
import type { EventCount } from './event-log.ts';

export class TenantBacklog {
  readonly #counts = new Map<string, number>();

  /** Begins anew with what the log has. @param counts of all functions and states */
  load(counts: readonly EventCount[]): void {
    this.#counts.clear();
    for (const { tenant, state, count } of counts) if (state === 'waiting' || state === 'running') this.#add(tenant, count);
  }

  /** @param limit the tenant's quota; undefined: none @throws SwiftletError QuotaExceeded */
  demandRoom(tenant: string, limit: number | undefined): void {
    const count = this.#counts.get(tenant) ?? 0;
    if (limit !== undefined && count >= limit) throw quotaExceeded(tenant, 'asyncBacklog', limit, `${count} events have not ended`);
  }

  /** An event is about to be stored. @returns what takes it back, if it was not */
  enter(tenant: string): () => void {
    this.#add(tenant, 1);
    return () => this.#add(tenant, -1);
  }

  ended(tenant: string): void {
    this.#add(tenant, -1);
  }

  #add(tenant: string, change: number): void {
    const count = Math.max(0, (this.#counts.get(tenant) ?? 0) + change);
    if (count === 0) this.#counts.delete(tenant);
    else this.#counts.set(tenant, count);
  }
}
