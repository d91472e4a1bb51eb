const firstPauseMs = 100;
const longestPauseMs = 10_000;

/** How long, in ms, what cannot be started is left alone after so many failures in a row, so that nothing spins. */
export const pauseAfterFailures = (failures: number): number =>
  failures === 0 ? 0 : Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
