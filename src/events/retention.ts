/** Forgets events that ended well some time ago, so that the log's size depends on what waits and not on what was. */
import type { EventLog } from './event-log.ts';

/** How long a status can be asked for. */
const keptMs = 24 * 3_600_000;
/** And of how many events at most. */
const keptEvents = 100_000;
const everyMs = 60_000;
const forgottenAtOnce = 500;

/** What ended before this is forgotten. @param endedBackMs when the last one ended that is over the number kept */
export const forgetBeforeMs = (nowMs: number, endedBackMs: number | undefined): number =>
  Math.max(nowMs - keptMs, endedBackMs === undefined ? 0 : endedBackMs + 1);

async function forgetOld(log: EventLog, now: () => number, isStopped: () => boolean): Promise<void> {
  const beforeMs = forgetBeforeMs(now(), await log.endedBack(keptEvents));
  while (!isStopped() && (await log.forget(beforeMs, forgottenAtOnce)) === forgottenAtOnce);
  while (!isStopped() && (await log.forgetKeys(now(), forgottenAtOnce)) === forgottenAtOnce);
}

/** Forgets now and from time to time, until disposed. */
export function keepForgetting(log: EventLog, now: () => number, trouble: (error: unknown) => void): AsyncDisposable {
  let isStopped = false;
  let last = Promise.resolve();
  const forget = () => {
    last = last.then(() => forgetOld(log, now, () => isStopped)).catch(trouble);
  };
  forget();
  const timer = setInterval(forget, everyMs);
  return {
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearInterval(timer);
      await last;
    },
  };
}
