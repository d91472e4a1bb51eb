import type { Spent } from '../../wire/gateway-calls.ts';
import type { PublishedState } from '../../wire/published-state.ts';
import { TenantMeter } from './tenant-meter.ts';

const noQuotas = {};

/** The meters of all tenants that have functions or quotas. */
export class TenantMeters {
  readonly #meters = new Map<string, TenantMeter>();
  #tenants: PublishedState['tenants'] = new Map();
  #spent: Spent = { day: 0, tenants: [] };

  /** The one of a tenant; the same for as long as the tenant is there. */
  of(tenant: string): TenantMeter {
    const known = this.#meters.get(tenant);
    if (known !== undefined) return known;
    const made = new TenantMeter(tenant);
    made.quotas = this.#tenants.get(tenant)?.quotas ?? noQuotas;
    if (this.#spent.tenants.includes(tenant)) made.spentOn = this.#spent.day;
    this.#meters.set(tenant, made);
    return made;
  }

  take({ tenants }: PublishedState): void {
    if (tenants === this.#tenants) return;
    this.#tenants = tenants;
    for (const [name, meter] of this.#meters) {
      meter.quotas = tenants.get(name)?.quotas ?? noQuotas;
      // One that is removed has no functions any more.
      if (!tenants.has(name)) this.#meters.delete(name);
    }
  }

  /** Control has added up who has used up his day. */
  takeSpent(spent: Spent): void {
    this.#spent = spent;
    for (const [name, meter] of this.#meters) meter.spentOn = spent.tenants.includes(name) ? spent.day : undefined;
  }
}
