/**
 * When a cron expression is due in a time zone. The expression is matched against the zone's clock; this is what becomes of it when
 * that clock is put forward or back:
 * - An expression whose hours are named (`30 2 * * *`) keeps to the day: what falls into an hour that is left out runs at once after it,
 *   and what falls into an hour that comes twice runs the first time only.
 * - One whose hours are not (`0 * * * *`, with an hour field that begins with `*`) keeps to the pace: nothing runs for an hour
 *   that is left out, and an hour that comes twice has its runs twice.
 */
import { Cron } from 'croner';
import type { CronTimer } from './timer.ts';

const nanoseconds = 1_000_000;
/** Changes of the clock looked behind at most; the rarest expressions are due once in 40 years. */
const maxChanges = 200;

/**
 * The first time an expression is due after a moment, in ms since 1970; undefined when it never is.
 * @throws Error when the expression or the zone is none
 */
export function nextCronMs({ expression, timeZone }: Pick<CronTimer, 'expression' | 'timeZone'>, afterMs: number): number | undefined {
  const { isPaced, match } = readCron(expression);
  let from = zoned(afterMs, timeZone);
  let afterWallMs = wallOf(from);
  const last = changeBefore(from);
  // The second time round: the first has had what is due.
  if (last !== undefined && !isPaced && afterWallMs < last.wallBeforeMs) afterWallMs = last.wallBeforeMs - 1;
  for (let crossed = 0; crossed < maxChanges; crossed += 1) {
    const wallMs = match(afterWallMs);
    if (wallMs === undefined) return undefined;
    const dueMs = wallMs - offsetMs(from);
    const change = changeAfter(from);
    if (change === undefined || dueMs < change.atMs) return dueMs;
    const { wallBeforeMs, wallAfterMs } = change;
    if (!isPaced && wallMs < wallAfterMs) return change.atMs;
    afterWallMs = (isPaced ? wallAfterMs : Math.max(wallBeforeMs, wallAfterMs)) - 1;
    from = change.to;
  }
  return undefined;
}

interface CronReading {
  /** Whether it keeps to the pace rather than to the day. */
  readonly isPaced: boolean;
  /** The first time on a clock after another that matches; both as if the clock were that of UTC. */
  readonly match: (afterWallMs: number) => number | undefined;
}

const secondsFields = 6;
const minutesFields = 5;

/** @throws Error that says what is wrong with the expression */
function readCron(expression: string): CronReading {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== minutesFields && fields.length !== secondsFields)
    throw new Error(`it has ${fields.length} fields; there are five (minute hour day month weekday), or six with seconds in front`);
  // It is what sets other dialects' six fields (the last one a year) apart from ours.
  if (expression.includes('?')) throw new Error('"?" is not known here; write "*", and mind that six fields begin with the seconds');
  const cron = new Cron(fields.join(' '), { utcOffset: 0 });
  const hours = fields.at(-4) ?? '';
  return { isPaced: hours.startsWith('*'), match: (afterWallMs) => cron.nextRun(new Date(afterWallMs))?.getTime() };
}

/** @throws RangeError when there is no such zone */
export const zoned = (ms: number, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);

const offsetMs = (time: Temporal.ZonedDateTime): number => time.offsetNanoseconds / nanoseconds;
/** What the clock shows, as if it were that of UTC. */
const wallOf = (time: Temporal.ZonedDateTime): number => time.epochMilliseconds + offsetMs(time);

/** The clock is put forward or back. */
interface ClockChange {
  readonly atMs: number;
  /** What the clock would show at that moment had it not been changed, and what it shows. */
  readonly wallBeforeMs: number;
  readonly wallAfterMs: number;
  readonly to: Temporal.ZonedDateTime;
}

const changeAfter = (time: Temporal.ZonedDateTime): ClockChange | undefined => changeAt(time.getTimeZoneTransition('next'));

/** The last one, this very moment among them. */
const changeBefore = (time: Temporal.ZonedDateTime): ClockChange | undefined =>
  changeAt(time.add({ milliseconds: 1 }).getTimeZoneTransition('previous'));

function changeAt(to: Temporal.ZonedDateTime | null): ClockChange | undefined {
  if (to === null) return undefined;
  const atMs = to.epochMilliseconds;
  return { atMs, to, wallBeforeMs: atMs + offsetMs(to.subtract({ milliseconds: 1 })), wallAfterMs: wallOf(to) };
}
