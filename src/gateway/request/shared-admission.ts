/** What a request must have of the limits that hold for several gateways together, before it is admitted. Nothing of it where there is one gateway. */
import type { SwiftletError } from '../../model/errors.ts';
import type { TenantShare } from '../protection/function-guard.ts';
import { bucketKey, type SharedLimits } from '../protection/shared-limits.ts';
import type { PublishedState } from '../../wire/published-state.ts';
import type { InFlight } from './in-flight.ts';
import type { Exchange } from './exchange.ts';

/** What the keys of limits begin with. */
const ofFunction = 'reserved/';

/** What a request found of them. */
export interface Shared {
  /** No place is left among all gateways: of its tenant’s, of its function’s reserved ones, or of those that are not reserved. */
  readonly lacks: 'tenant' | 'function' | undefined;
  /** Which of its rates is used up; undefined when it has a token of each. */
  readonly rated: SwiftletError | undefined;
}

export class SharedAdmission {
  readonly #limits: SharedLimits;
  readonly #inFlight: InFlight;
  readonly #tenantInFlight: number;
  #asking = 0;

  /** @param tenantInFlight how many requests a tenant may have at once where its quotas do not say it */
  constructor(limits: SharedLimits, inFlight: InFlight, tenantInFlight: number) {
    this.#limits = limits;
    this.#inFlight = inFlight;
    this.#tenantInFlight = tenantInFlight;
  }

  /**
   * Whether a request has to wait until it is known what other gateways have.
   * @param goOn called then, with the time, unless its caller has hung up
   */
  holdsBack(exchange: Exchange, goOn: (now: number) => void): boolean {
    const asked = this.#waitFor(exchange);
    if (asked === undefined) return false;
    this.#asking += 1;
    void asked.finally(() => {
      this.#asking -= 1;
      if (!exchange.response.destroyed) goOn(performance.now());
    });
    return true;
  }

  /** Takes a new state: what is gone has no limits any more. */
  take({ functions, tenants }: Pick<PublishedState, 'functions' | 'tenants'>): void {
    this.#limits.forget((key) => {
      const at = key.indexOf('/');
      return (key.startsWith(ofFunction) ? functions : tenants).has(key.slice(at + 1));
    });
  }

  /** Requests that are held back. */
  get asking(): number {
    return this.#asking;
  }

  /** @returns what has to be waited for first, after which it is asked again; undefined when all is known */
  #waitFor(exchange: Exchange): Promise<unknown> | undefined {
    const tenant = this.#tenantLimit(exchange);
    const lacking = this.#limits.lacking(tenant.key, tenant.limit, tenant.inUse);
    if (lacking !== undefined) return lacking;
    const own = this.#functionLimit(exchange);
    const lackingOwn = own === undefined ? undefined : this.#limits.lacking(own.key, own.limit, own.inUse);
    if (lackingOwn !== undefined) return lackingOwn;
    if (exchange.rated !== undefined || this.#lacks(exchange) !== undefined) return undefined;
    return this.#rate(exchange);
  }

  /** What `admit` goes by. */
  found(exchange: Exchange): Shared {
    const { rated } = exchange;
    return { lacks: this.#lacks(exchange), rated: rated === 'taken' ? undefined : rated };
  }

  #lacks(exchange: Exchange): Shared['lacks'] {
    const [tenant, own] = [this.#tenantLimit(exchange), this.#functionLimit(exchange)];
    if (own !== undefined && !this.#limits.mayHave(own.key, own.limit)) return 'function';
    return this.#limits.mayHave(tenant.key, tenant.limit) ? undefined : 'tenant';
  }

  #tenantLimit({ served: { meter, version } }: Exchange) {
    const { tenant } = version;
    const limit = meter.quotas.concurrency ?? this.#tenantInFlight;
    return { key: `tenant/${tenant}`, limit, inUse: () => this.#inFlight.of(tenant) };
  }

  #functionLimit({ served: { guard, meter, key, version } }: Exchange) {
    const { reservedConcurrency } = guard.config;
    if (reservedConcurrency !== undefined) return { key: `${ofFunction}${key}`, limit: reservedConcurrency, inUse: () => guard.inFlight };
    const { reserved } = guard.share;
    if (reserved === 0) return undefined;
    const { tenant } = version;
    const limit = Math.max(0, (meter.quotas.concurrency ?? this.#tenantInFlight) - reserved);
    return { key: `rest/${tenant}`, limit, inUse: () => this.#unreserved(tenant, guard) };
  }

  #unreserved(tenant: string, guard: { readonly share: TenantShare }): number {
    return this.#inFlight.of(tenant) - guard.share.reservedInFlight;
  }

  /** @returns undefined when there are no rates */
  #rate(exchange: Exchange): Promise<void> | undefined {
    const { served, request, sourceIp } = exchange;
    const { meter, guard, version, key } = served;
    const ofFunction = guard.rates
      .keys(request.headers, sourceIp)
      .map(({ id, rate }) => ({ ...rate, key: bucketKey('function', key, id) }));
    const perSecond = meter.quotas.requestsPerSecond;
    const buckets = [
      ...(perSecond === undefined ? [] : [{ perSecond, burst: Math.max(1, perSecond), key: `requests/${version.tenant}` }]),
      ...ofFunction,
    ];
    if (buckets.length === 0) {
      exchange.rated = 'taken';
      return undefined;
    }
    return this.#limits.take(buckets).then((taken) => {
      if (taken === undefined) {
        // Nobody counts for all: this gateway does it for itself.
        exchange.rated =
          meter.rateRefusal(performance.now()) ??
          guard.rates.take(version.function, request.headers, sourceIp, performance.now()) ??
          'taken';
      } else if (taken === 'taken') exchange.rated = 'taken';
      else if (perSecond !== undefined && taken.at === 0) exchange.rated = meter.tooFast(perSecond);
      else exchange.rated = guard.rates.exceeded(version.function, taken.at - (perSecond === undefined ? 0 : 1), taken.retryAfterMs);
    });
  }
}
