/**
 * Divides the processors among tenants: however many instances one has, all of them together weigh what the tenant does. Sandboxes
 * do not move into a cgroup of their tenant for that, which would cost each cold start milliseconds; each gets its part of the weight.
 */
import { type Instance, isStill } from './instance.ts';

/** A lone instance of a usual tenant weighs so much: room below it for a thousand of one tenant. */
const weightOfOne = 10;
const usualWeight = 100;
const most = 10_000;

/** What each of so many instances weighs. */
export const weightOfEach = (tenantWeight: number, instances: number): number =>
  Math.min(most, Math.max(1, Math.round((tenantWeight * weightOfOne) / Math.max(1, instances))));

type Weighed = Pick<Instance, 'id' | 'state'> & {
  readonly version: { readonly tenant: string };
  readonly sandbox: { weigh(weight: number): void };
};

export class TenantShares {
  readonly #weightOf: (tenant: string) => number | undefined;
  /** What each instance was told last, so that only changes are written. */
  #told = new Map<string, number>();

  constructor(weightOf: (tenant: string) => number | undefined) {
    this.#weightOf = weightOf;
  }

  /** Writes what has changed. Those that stand still take nothing, and weigh nothing. */
  divide(instances: Iterable<Weighed>): void {
    const running = [...instances].filter(({ state }) => !isStill(state));
    const counts = new Map<string, number>();
    for (const { version } of running) counts.set(version.tenant, (counts.get(version.tenant) ?? 0) + 1);
    // A lone tenant shares with nobody: its starts and ends cost no writes.
    if (counts.size < 2) return;
    const told = new Map<string, number>();
    for (const { id, version, sandbox } of running) {
      const weight = weightOfEach(this.#weightOf(version.tenant) ?? usualWeight, counts.get(version.tenant) ?? 1);
      if (this.#told.get(id) !== weight) sandbox.weigh(weight);
      told.set(id, weight);
    }
    this.#told = told;
  }
}
