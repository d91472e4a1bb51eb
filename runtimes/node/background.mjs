// Work that goes on after an answer: what handlers announced by waitUntil(). It keeps its instance from being frozen or ended.
import { failureOf } from './failure.mjs';
import { log } from './logs.mjs';
import { clearTimeout, epochMs, Promise, setTimeout } from './intrinsics.mjs';

let underWay = 0;

/** How much of it is under way. */
export const backgroundCount = () => underWay;

/**
 * Counts work as under way until it is settled, or its request's time is over; it goes on then, but nobody waits for it. What it fails with
 * is logged.
 * @param {unknown} work a promise
 * @param {number} deadline ms since 1970
 * @param {string} requestId
 * @param {string} [what] in words
 */
export function addBackground(work, deadline, requestId, what = 'what was given to waitUntil()') {
  underWay += 1;
  let isCounted = true;
  const end = () => {
    if (isCounted) underWay -= 1;
    isCounted = false;
    clearTimeout(limit);
  };
  const limit = setTimeout(() => {
    end();
    log('warn', `${what} did not end within the time limit; the instance may be frozen or ended before it does`, requestId);
  }, deadline - epochMs());
  Promise.resolve(work).then(end, (error) => {
    end();
    const failure = failureOf(error, 'HandlerError');
    log('error', failure.stack ?? `${failure.type}: ${failure.message}`, requestId);
  });
}
