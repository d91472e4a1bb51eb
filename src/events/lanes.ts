/** Who may be delivered to now: each function has a lane with so many places, and all lanes share those of the process. */
import { throttlePauseMs } from './decide.ts';

/** A function's lane. There is one only while something is in flight in it or it is paused. */
export interface Lane {
  readonly inFlight: number;
  /** Times in a row that the function could not be reached. */
  readonly streak: number;
  readonly pausedUntilMs: number;
}

export const emptyLane: Lane = { inFlight: 0, streak: 0, pausedUntilMs: 0 };

export const isIdle = (lane: Lane): boolean => lane.inFlight === 0 && lane.streak === 0;

/** Places that are free in a lane. */
export const roomOf = ({ inFlight, pausedUntilMs }: Lane, limit: number, nowMs: number): number =>
  nowMs < pausedUntilMs ? 0 : Math.max(0, limit - inFlight);

/** The lane after an attempt that could not reach the function. Those that were under way together count once. */
export function throttled(lane: Lane, nowMs: number, chance: number): Lane {
  if (nowMs < lane.pausedUntilMs) return lane;
  const streak = lane.streak + 1;
  return { ...lane, streak, pausedUntilMs: nowMs + throttlePauseMs(streak, chance) };
}

/** The lane after an attempt that reached it. */
export const reached = (lane: Lane): Lane => ({ ...lane, streak: 0, pausedUntilMs: 0 });

export interface Wish {
  readonly inFlight: number;
  readonly room: number;
}

/**
 * Divides places among lanes. Each that has nothing in flight gets one first; what is left, but for the reserve, goes out in equal
 * parts. So slow functions that took all they could leave room for others to begin.
 */
export function sharesOf(wishes: readonly Wish[], places: number, reserve: number): number[] {
  const shares = wishes.map(() => 0);
  let left = places;
  wishes.forEach(({ inFlight, room }, at) => {
    if (inFlight > 0 || room === 0 || left === 0) return;
    shares[at] = 1;
    left -= 1;
  });
  left = Math.max(0, left - reserve);
  const order = wishes.map((wish, at) => ({ ...wish, at })).sort((a, b) => a.inFlight - b.inFlight || a.room - b.room);
  order.forEach(({ room, at }, done) => {
    const first = shares[at] ?? 0;
    const share = Math.min(room - first, Math.ceil(left / (order.length - done)));
    shares[at] = first + share;
    left -= share;
  });
  return shares;
}
