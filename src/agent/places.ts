/**
 * Who may start on a host that fills up, and who makes room on one that is full. Pure.
 *
 * The last places are for tenants that have nothing on the host yet: one for each of them, a thirty-second of the host at most. When it is full all
 * the same – a tenant came later, or several at once – one instance makes room for such a tenant's first: one of whoever has most.
 */

export interface Crowd {
  /** Sandboxes that the host may run. */
  readonly capacity: number;
  /** Instances and starts under way, of each tenant that has any. */
  readonly taken: ReadonlyMap<string, number>;
  /** Tenants that have functions. */
  readonly tenants: Iterable<string>;
}

const partForOthers = 32;

/** How many places may be kept at most. */
export const mostKept = (capacity: number): number => Math.max(1, Math.floor(capacity / partForOthers));

/** Whether a tenant may start one more, as far as others are concerned. Whether there is any place at all the host says. */
export function mayStart(tenant: string, { capacity, taken, tenants }: Crowd): boolean {
  if (!taken.has(tenant)) return true;
  const free = capacity - taken.values().reduce((sum, count) => sum + count, 0);
  const most = mostKept(capacity);
  let kept = 0;
  for (const other of tenants) {
    if (taken.has(other)) continue;
    kept += 1;
    if (kept >= most || kept >= free) break;
  }
  return free > kept;
}

/** Who gives up an instance for a tenant's first one; nobody for one that has any, and nobody gives up his only one. */
export function whoYields(tenant: string, { taken }: Pick<Crowd, 'taken'>): string | undefined {
  if (taken.has(tenant)) return undefined;
  let [richest, most]: [string | undefined, number] = [undefined, 1];
  for (const [other, count] of taken) if (count > most) [richest, most] = [other, count];
  return richest;
}
