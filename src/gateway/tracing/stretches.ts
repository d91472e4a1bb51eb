/** A request's way as stretches of time, each of which is a span of its trace. Pure. */
import type { ColdPhase } from '../../model/phases.ts';
import type { Exchange } from '../request/exchange.ts';

export interface Stretch {
  readonly name: 'route' | 'queue' | ColdPhase | 'handler';
  /** On the monotonic clock, in milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
}

export type TimedRequest = Pick<Exchange, 'arrivedAt' | 'queueMs' | 'dispatchedAt' | 'handlerMs' | 'waitedStart'>;

/**
 * In their order. Of a start that had begun before the request came, only what the request waited for; a handler that never ended lasts
 * until now.
 * @param cameAtMs when the request came; it was let in when it arrived
 */
export function stretchesOf(request: TimedRequest, cameAtMs: number, nowMs: number): Stretch[] {
  const { arrivedAt, queueMs, dispatchedAt, handlerMs, waitedStart } = request;
  const stretches: Stretch[] = [
    { name: 'route', fromMs: cameAtMs, toMs: arrivedAt },
    { name: 'queue', fromMs: arrivedAt, toMs: arrivedAt + queueMs },
  ];
  for (const { phase, atMs, ms } of waitedStart?.spans ?? [])
    if (atMs + ms >= 0) stretches.push({ name: phase, fromMs: arrivedAt + Math.max(0, atMs), toMs: arrivedAt + atMs + ms });
  if (dispatchedAt > 0) stretches.push({ name: 'handler', fromMs: dispatchedAt, toMs: handlerMs > 0 ? dispatchedAt + handlerMs : nowMs });
  return stretches;
}
