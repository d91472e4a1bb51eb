/** When a pool boots what it lacks, and nobody waits for: a boot takes a processor for longer than ten starts do, so that starts go first. Pure. */

/** Starts that follow each other closer than this are one burst. */
export const burstPauseMs = 25;
/** So long at most a burst has the processors to itself: one that does not end is what the pool is refilled for. */
const longestTurnMs = 1_000;
/** Below this share of its target a pool does not wait for what may come yet, only for the starts that are under way. */
const lowShare = 0.25;

export interface RefillFacts {
  /** How long the burst goes on already. */
  readonly burstMs: number;
  /** Whether starts are under way. */
  readonly areStarting: boolean;
  readonly ready: number;
  readonly target: number;
}

/** Whether starts have the processors to themselves for now. */
export const startsFirst = ({ burstMs, areStarting, ready, target }: RefillFacts): boolean =>
  burstMs < longestTurnMs && (areStarting || ready >= target * lowShare);
