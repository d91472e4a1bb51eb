/**
 * Which of the instances that have a free slot gets a request. Pure. Budget: 5 ns where the last one is below its mark, as it is unless there is
 * much to do.
 */

export interface Taking {
  /** Requests that it has. */
  readonly inFlight: number;
  /** How many it may have of us. */
  readonly slots: number;
}

/**
 * The last one, until it has as many as one is to have; then the next that has fewer; when all have as many, the one with least. So what is more
 * than enough rests, and is reclaimed, while an instance that was added for the load gets its share of it at once.
 * @param free the one used last is the last
 * @param mark how many requests at once one is to have that takes `concurrency` of them
 */
export function pickInstance<T extends Taking>(free: readonly T[], mark: number, concurrency: number): T | undefined {
  const last = free.at(-1);
  if (last === undefined || last.inFlight * concurrency < mark * last.slots) return last;
  let least = last;
  for (let at = free.length - 2; at >= 0; at--) {
    const one = free[at];
    if (one === undefined) continue;
    if (one.inFlight * concurrency < mark * one.slots) return one;
    if (one.inFlight < least.inFlight) least = one;
  }
  return least;
}
