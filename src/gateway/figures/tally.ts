import type { Exchange } from '../request/exchange.ts';

/** Counts a request that is over. @param outcome `ok` or an error code */
export function tally(
  { served, head, arrivedAt, queueMs, dispatchedAt, start, waitedStart, openedAt }: Exchange,
  outcome: string,
  now: number,
): void {
  // Of what became a connection it is the handshake that somebody waited for.
  const tookMs = (openedAt || now) - arrivedAt;
  served.figures.settled(outcome, tookMs, queueMs, waitedStart);
  served.watch?.observe(outcome, head?.status, tookMs);
  if (dispatchedAt > 0) served.versionFigures.began(start, waitedStart);
}
