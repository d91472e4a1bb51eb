/** When a timer runs. Pure: there is no clock in it. */
import { nextCronMs } from './cron.ts';
import type { ScaleSchedule } from './scale.ts';
import type { Timer } from './timer.ts';

/** Before it no timer is due: from here it is looked whether one ever is. */
const beginningMs = Date.UTC(2000, 0, 1);

/**
 * The first run after a moment, in ms since 1970; undefined when none comes any more.
 * @param sinceMs when the platform first saw the timer: a rate without a start counts from there
 */
export function nextRunMs(timer: Timer, afterMs: number, sinceMs: number): number | undefined {
  if (timer.kind === 'once') {
    const atMs = momentMs(timer.at, timer.timeZone);
    return atMs > afterMs ? atMs : undefined;
  }
  const startMs = timer.start === undefined ? undefined : momentMs(timer.start, timer.timeZone);
  const endMs = timer.end === undefined ? Number.POSITIVE_INFINITY : momentMs(timer.end, timer.timeZone);
  const fromMs = startMs === undefined ? afterMs : Math.max(afterMs, startMs - 1);
  const nextMs = timer.kind === 'cron' ? nextCronMs(timer, fromMs) : nextOfRateMs(timer.everyMs, fromMs, startMs, sinceMs);
  return nextMs !== undefined && nextMs <= endMs ? nextMs : undefined;
}

/** A rate with a start runs then and at each multiple after it, one without first when its pause is over. */
function nextOfRateMs(everyMs: number, afterMs: number, startMs: number | undefined, sinceMs: number): number {
  const firstMs = startMs ?? sinceMs + everyMs;
  return afterMs < firstMs ? firstMs : firstMs + (Math.floor((afterMs - firstMs) / everyMs) + 1) * everyMs;
}

/** What is wrong with a timer, and with which of its members; undefined when it is fine. Its shape has been checked already. */
export function timerFault(timer: Timer): { readonly member: string; readonly what: string } | undefined {
  const zoneFault = faultOf(() => Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timer.timeZone));
  if (zoneFault !== undefined)
    return { member: 'timeZone', what: `there is no time zone "${timer.timeZone}"; it is like Europe/Berlin, or UTC` };
  if (timer.kind === 'once') return undefined;
  const isBackwards =
    timer.start !== undefined && timer.end !== undefined && momentMs(timer.end, timer.timeZone) < momentMs(timer.start, timer.timeZone);
  if (isBackwards) return { member: 'end', what: 'it is before the start' };
  if (timer.kind === 'cron') {
    const cronFault = faultOf(() => nextCronMs(timer, beginningMs));
    if (cronFault !== undefined) return { member: 'expression', what: `"${timer.expression}" is no cron expression: ${cronFault}` };
    if (nextCronMs(timer, beginningMs) === undefined) return { member: 'expression', what: `"${timer.expression}" never comes` };
  }
  if (nextRunMs(timer, beginningMs, beginningMs) === undefined) return { member: 'end', what: 'no run comes before it' };
  return undefined;
}

/** The same of a schedule of its scaling. */
export const scheduleFault = ({ expression, timeZone }: ScaleSchedule): ReturnType<typeof timerFault> =>
  timerFault({ kind: 'cron', expression, timeZone, jitterMs: 0, missed: 'skip' });

/** The moment that a time names. In an hour that is left out it is as much later as that hour is long; of one that comes twice, the first. */
export function momentMs(time: string, timeZone: string): number {
  if (/(?:Z|[+-]\d\d:?\d\d)$/.test(time)) return Date.parse(time);
  return Temporal.PlainDateTime.from(time).toZonedDateTime(timeZone).epochMilliseconds;
}

function faultOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
