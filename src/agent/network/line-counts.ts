/** What functions sent, were sent, opened and were refused: the kernel's counts of their lines, added up. */
import { z } from 'zod';
import type { NetworkCounts } from '../../wire/agent-calls.ts';
import { type Line, lineOf } from './address-plan.ts';
import type { counterSets } from './router-rules.ts';

export const nothing: NetworkCounts = { sentBytes: 0, receivedBytes: 0, connections: 0, refused: 0 };

const plus = (a: NetworkCounts, b: NetworkCounts): NetworkCounts => ({
  sentBytes: a.sentBytes + b.sentBytes,
  receivedBytes: a.receivedBytes + b.receivedBytes,
  connections: a.connections + b.connections,
  refused: a.refused + b.refused,
});

/** A count that is lower than it was began anew, as it does when the rules were made again. */
const since = (now: number, before: number): number => (now >= before ? now - before : now);
const grown = (now: NetworkCounts, before: NetworkCounts): NetworkCounts => ({
  sentBytes: since(now.sentBytes, before.sentBytes),
  receivedBytes: since(now.receivedBytes, before.receivedBytes),
  connections: since(now.connections, before.connections),
  refused: since(now.refused, before.refused),
});

const elementSchema = z.object({ elem: z.object({ val: z.string(), counter: z.object({ packets: z.number(), bytes: z.number() }) }) });
/** What `nft -j list set` says of a set; other elements than those with a counter are passed over. */
const listingSchema = z.object({
  nftables: z.array(z.object({ set: z.object({ elem: z.array(z.unknown()).optional() }).optional() })),
});

export type CounterSet = (typeof counterSets)[number];
type Field = keyof NetworkCounts;
const fieldOf: Readonly<Record<CounterSet, readonly [field: Field, unit: 'bytes' | 'packets']>> = {
  sent: ['sentBytes', 'bytes'],
  received: ['receivedBytes', 'bytes'],
  opened: ['connections', 'packets'],
  refused: ['refused', 'packets'],
};

/** Reads one set. @returns the count of each line in it */
export function readCounts(set: CounterSet, listing: unknown): ReadonlyMap<Line, number> {
  const [, unit] = fieldOf[set];
  const counts = new Map<Line, number>();
  for (const entry of listingSchema.parse(listing).nftables.flatMap((part) => part.set?.elem ?? [])) {
    const parsed = elementSchema.safeParse(entry);
    const line = parsed.success ? lineOf(parsed.data.elem.val) : undefined;
    if (parsed.success && line !== undefined) counts.set(line, parsed.data.elem.counter[unit]);
  }
  return counts;
}

/** Adds up by function. Knows no more lines and functions than are told to it. */
export class LineCounts {
  readonly #last = new Map<Line, NetworkCounts>();
  readonly #totals = new Map<string, NetworkCounts>();

  /**
   * Takes what the kernel has counted now.
   * @param ownerOf the function’s key; undefined for a line that belongs to none
   */
  take(counts: Readonly<Record<CounterSet, ReadonlyMap<Line, number>>>, ownerOf: (line: Line) => string | undefined): void {
    const lines = new Set(Object.values(counts).flatMap((count) => [...count.keys()]));
    for (const line of lines) {
      const owner = ownerOf(line);
      if (owner === undefined) continue;
      const now = { ...nothing };
      for (const set of Object.keys(fieldOf) as CounterSet[]) now[fieldOf[set][0]] = counts[set].get(line) ?? 0;
      this.#totals.set(owner, plus(this.of(owner), grown(now, this.#last.get(line) ?? nothing)));
      this.#last.set(line, now);
    }
  }

  /** A line is gone; its number may come again. */
  forget(line: Line): void {
    this.#last.delete(line);
  }

  /** Drops functions that are gone. */
  keepOnly(owners: ReadonlySet<string>): void {
    for (const owner of this.#totals.keys()) if (!owners.has(owner)) this.#totals.delete(owner);
  }

  /** Since this process started. */
  of(owner: string): NetworkCounts {
    return this.#totals.get(owner) ?? nothing;
  }

  get all(): ReadonlyMap<string, NetworkCounts> {
    return this.#totals;
  }
}
