/**
 * Which instance is to be replaced, since it does worse than its siblings. Pure.
 *
 * - It fails: its last five requests failed, for no fault of their callers, and of its siblings' last requests fewer than half did.
 * - It hangs: none of its requests has ended for a second and for ten times as long as its siblings' take, and it has one all that time.
 * - It is slow: over ten requests and more it takes three times as long as the median of its siblings, and 50 ms longer.
 *
 * At least half of a version's instances stay; one that has no sibling always does.
 */

/** What is known of one instance. */
export interface InstanceRecord {
  /** The mean of its latest requests; undefined before the first one. */
  readonly meanMs: number | undefined;
  readonly requests: number;
  /** Failures since the last success. */
  readonly failuresInARow: number;
  /** For how long no request has ended, while it had one that was not answered; 0 when it has none. */
  readonly silentMs: number;
}

/** What is known of all instances of a version that are in service: made once, each of them is compared with it. */
export interface Siblings {
  readonly count: number;
  /** Those whose last request failed. */
  readonly failing: number;
  /** The means of those that have answered enough, in order. */
  readonly meansMs: readonly number[];
}

const failuresAreBad = 5;
const hangsAfterMs = 1_000;
const hangsAfterTimes = 10;
const saysEnoughAfterRequests = 2;
const slowAfterRequests = 10;
const [slowTimes, slowByMs] = [3, 50];

export type OutlierReason = 'fails' | 'hangs' | 'is slow';

export function siblingsOf(records: readonly InstanceRecord[]): Siblings {
  const meansMs: number[] = [];
  let failing = 0;
  for (const record of records) {
    if (record.failuresInARow > 0) failing += 1;
    const meanMs = meanFor(record);
    if (meanMs !== undefined) meansMs.push(meanMs);
  }
  return { count: records.length, failing, meansMs: meansMs.sort((a, b) => a - b) };
}

/**
 * @param one in service
 * @param all those in service, and it among them
 * @param replaced instances of the version that are to be replaced and are still there
 */
export function outlierReason(one: InstanceRecord, all: Siblings, replaced: number): OutlierReason | undefined {
  const others = all.count - 1;
  if (others === 0 || replaced + 1 > (all.count + replaced) / 2) return undefined;
  const { failuresInARow, silentMs, requests, meanMs = 0 } = one;
  const failingOthers = all.failing - (failuresInARow > 0 ? 1 : 0);
  if (failuresInARow >= failuresAreBad && failingOthers * 2 < others) return 'fails';
  const usualMs = medianWithout(meanFor(one), all.meansMs);
  if (usualMs === undefined) return undefined;
  if (silentMs > Math.max(hangsAfterMs, hangsAfterTimes * usualMs)) return 'hangs';
  return requests >= slowAfterRequests && meanMs > slowTimes * usualMs && meanMs > usualMs + slowByMs ? 'is slow' : undefined;
}

const meanFor = ({ meanMs, requests }: InstanceRecord): number | undefined => (requests < saysEnoughAfterRequests ? undefined : meanMs);

/** The lower median of values in order, without one of them; undefined when no other is left. @param own undefined: it is not among them */
function medianWithout(own: number | undefined, ordered: readonly number[]): number | undefined {
  if (own === undefined) return ordered[Math.floor((ordered.length - 1) / 2)];
  if (ordered.length === 1) return undefined;
  const at = Math.floor((ordered.length - 2) / 2);
  const value = ordered[at];
  return value !== undefined && value < own ? value : ordered[at + 1];
}
