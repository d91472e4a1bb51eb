/** Which unpacked code goes when there is more of it than may be. Pure. */

export interface CachedCode {
  readonly key: string;
  readonly bytes: number;
  /** When it was asked for last, by any clock that does not go back. */
  readonly usedAt: number;
}

/**
 * The least recently used goes first, until the rest is within the limit; what is in use stays, even when that alone is over it.
 * @returns keys
 */
export function evictions(entries: readonly CachedCode[], limitBytes: number, inUse: ReadonlySet<string>): string[] {
  let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const evicted: string[] = [];
  for (const entry of entries.toSorted((one, other) => one.usedAt - other.usedAt)) {
    if (bytes <= limitBytes) break;
    if (inUse.has(entry.key)) continue;
    evicted.push(entry.key);
    bytes -= entry.bytes;
  }
  return evicted;
}
