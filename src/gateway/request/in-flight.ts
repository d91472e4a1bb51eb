import type { Exchange } from './exchange.ts';
import { Roster } from './roster.ts';

/** All requests under way, and how many of them each tenant has. */
export class InFlight {
  readonly #roster = new Roster<Exchange>();
  readonly #byTenant = new Map<string, number>();

  get size(): number {
    return this.#roster.size;
  }

  /** Those that are connections by now. */
  get connections(): number {
    return this.all().filter(({ tunnel }) => tunnel !== undefined).length;
  }

  of(tenant: string): number {
    return this.#byTenant.get(tenant) ?? 0;
  }

  add(exchange: Exchange): void {
    this.#roster.add(exchange);
    this.#count(exchange, 1);
  }

  delete(exchange: Exchange): void {
    this.#roster.delete(exchange);
    this.#count(exchange, -1);
  }

  /** A copy: whoever looks at them may end some. */
  all(): Exchange[] {
    return this.#roster.all();
  }

  #count({ served: { version } }: Exchange, change: number): void {
    this.#byTenant.set(version.tenant, this.of(version.tenant) + change);
  }
}
