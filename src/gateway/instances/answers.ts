import { errorKinds } from '../../model/errors.ts';
import type { Exchange } from '../request/exchange.ts';
import type { Verdict } from '../request/receive.ts';
import { RunningMean } from './running-mean.ts';

/** How the requests of one instance ended lately. Budget: 20 ns a request. */
export class Answers {
  readonly mean = new RunningMean();
  failuresInARow = 0;
  /** Since when it has requests and none has ended; 0 while it has none. */
  busySince = 0;

  began(now: number): void {
    if (this.busySince === 0) this.busySince = now;
  }

  /** @param left requests that it still has */
  ended(tookMs: number, hasFailed: boolean, left: number, now: number): void {
    this.mean.add(tookMs);
    this.failuresInARow = hasFailed ? this.failuresInARow + 1 : 0;
    this.busySince = left > 0 ? now : 0;
  }
}

const serverError = 500;

/** Whether an instance did badly by a request: it failed by no fault of the caller's, who did not give it up before. */
export function isBad({ abandoned, head }: Pick<Exchange, 'abandoned' | 'head'>, verdict: Verdict): boolean {
  if (abandoned !== undefined) return false;
  if (verdict.kind === 'failed') return errorKinds[verdict.error.code].fault !== 'caller';
  return verdict.kind !== 'done' || (head?.status ?? 0) >= serverError;
}
