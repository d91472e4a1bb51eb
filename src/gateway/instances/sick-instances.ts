/** Takes instances that do worse than their siblings out of service. What they have under way may end; then they are ended. */
import type { InstanceLink } from './instance-link.ts';
import type { Links } from './links.ts';
import { type InstanceRecord, outlierReason, siblingsOf } from './outliers.ts';
import type { ServedVersion } from './served-version.ts';

/** A look costs a microsecond for each instance, and nothing of it is urgent. */
const sweepsPerLook = 5;
/** For less nobody hangs: who has been silent for so long is looked at more closely. */
const closerLookMs = 1_000;

export class SickInstances {
  readonly #links: Links;
  #sweeps = 0;

  constructor(links: Links) {
    this.#links = links;
  }

  /** Called with each of the gateway's sweeps. */
  sweep(now: number): void {
    if (this.#sweeps++ % sweepsPerLook !== 0) return;
    for (const [served, siblings] of this.#links.byVersion()) {
      if (siblings.length < 2 || served.version.config.protect.outliers === 'keep') continue;
      replaceIn(served, siblings, this.#links, now);
    }
  }
}

function replaceIn({ version }: ServedVersion, siblings: readonly InstanceLink[], links: Links, now: number): void {
  let inService = siblings.filter(({ sickBy }) => sickBy === undefined).map((link) => ({ link, record: recordOf(link, now) }));
  let replaced = siblings.length - inService.length;
  let all = siblingsOf(inService.map(({ record }) => record));
  for (const { link, record } of inService) {
    const reason = outlierReason(record, all, replaced);
    if (reason === undefined) continue;
    link.sickBy = `an instance of function "${version.function}" ${reason} while others of its version do not; it was replaced`;
    links.takeOut(link);
    // It is none that the next one is compared with.
    inService = inService.filter((other) => other.link !== link);
    all = siblingsOf(inService.map((other) => other.record));
    replaced += 1;
  }
}

const recordOf = (link: InstanceLink, now: number): InstanceRecord => ({
  meanMs: link.answers.mean.value,
  requests: link.answers.mean.count,
  failuresInARow: link.answers.failuresInARow,
  silentMs: silentMs(link, now),
});

/** For how long nothing has come of its requests. An answer that goes on for long, such as a stream of events, is no silence. */
export function silentMs({ answers, streams }: Pick<InstanceLink, 'answers' | 'streams'>, now: number): number {
  if (streams.size === 0 || answers.busySince === 0) return 0;
  const sinceMs = now - answers.busySince;
  if (sinceMs <= closerLookMs) return sinceMs;
  let oldestMs = 0;
  for (const { head, dispatchedAt } of streams.values()) if (head === undefined) oldestMs = Math.max(oldestMs, now - dispatchedAt);
  return Math.min(sinceMs, oldestMs);
}
