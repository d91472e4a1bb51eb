import type { Exchange } from '../request/exchange.ts';

/** How long a connection may go on after it was told to end. */
const goAwayMs = 10_000;

/**
 * Tells all connections to end: their functions say so to their callers. Those that have not ended after ten seconds are cut.
 * @param all what is under way, at any time
 * @returns what forgets about it
 */
export function endTunnels(all: () => readonly Exchange[]): Disposable {
  for (const { tunnel } of all()) tunnel?.goAway();
  const timer = setTimeout(() => {
    for (const { tunnel } of all()) tunnel?.cut();
  }, goAwayMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
