/**
 * Which versions of a function are kept no longer: all but the newest ones, and never those that are needed.
 * @param numbers in any order
 */
export function versionsToDrop(numbers: readonly number[], needed: ReadonlySet<number>, kept: number): number[] {
  const newest = new Set(numbers.toSorted((a, b) => b - a).slice(0, kept));
  return numbers.filter((number) => !needed.has(number) && !newest.has(number));
}

/** An artifact that no version needs is kept so long after it was last uploaded or asked for: its deploy may still be under way. */
export const artifactGraceMs = 15 * 60_000;
