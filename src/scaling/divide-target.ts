/** What each of several agents is to have of the instances that a version is to have. Pure. */

/** One of them. */
export interface Share {
  /** Instances that are there, or start. */
  readonly running: number;
  /** What it may have at most. */
  readonly most: number;
}

/**
 * Instances stay where they are, as far as they are wanted: what lacks goes where fewest are, what is too many goes from where most are. The parts add up
 * to the target, or to what all may have.
 */
export function divideTarget(target: number, shares: readonly Share[]): number[] {
  const parts = shares.map(({ running, most }) => Math.min(running, most));
  const total = () => parts.reduce((sum, part) => sum + part, 0);
  while (total() > target) step(parts, parts.indexOf(Math.max(...parts)), -1);
  while (total() < target) {
    const open = parts.filter((part, at) => part < (shares[at]?.most ?? 0));
    if (open.length === 0) break;
    const least = Math.min(...open);
    step(
      parts,
      parts.findIndex((part, at) => part === least && part < (shares[at]?.most ?? 0)),
      1,
    );
  }
  return parts;
}

function step(parts: number[], at: number, by: number): void {
  parts[at] = (parts[at] ?? 0) + by;
}
