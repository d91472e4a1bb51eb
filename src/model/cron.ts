/**
 * When a cron expression is due in a time zone. croner knows what becomes of it when a zone's clock is put forward or back, by the rules
 * that operators know from cron; test/model/cron.test.ts holds it to them:
 * - An expression that names its times (`30 2 * * *`) keeps to the day: what falls into an hour that is left out runs at once after it,
 *   and what falls into an hour that comes twice runs the first time only.
 * - One with a `*` or a step in its seconds, minutes or hours keeps to the pace: nothing runs for an hour that is left out, and an hour
 *   that comes twice has its runs twice.
 */
import { Cron } from 'croner';
import type { CronTimer } from './timer.ts';

/**
 * The first time an expression is due after a moment, in ms since 1970; undefined when it never is.
 * @throws Error when the expression or the zone is none
 */
export function nextCronMs({ expression, timeZone }: Pick<CronTimer, 'expression' | 'timeZone'>, afterMs: number): number | undefined {
  return new Cron(checked(expression), { timezone: timeZone, fixedTimeRule: 'no-wildcard' }).nextRun(new Date(afterMs))?.getTime();
}

const secondsFields = 6;
const minutesFields = 5;

/** @throws Error for what croner would take for something else than five or six fields */
function checked(expression: string): string {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== minutesFields && fields.length !== secondsFields)
    throw new Error(`it has ${fields.length} fields; there are five (minute hour day month weekday), or six with seconds in front`);
  // It is what sets other dialects' six fields (the last one a year) apart from ours.
  if (expression.includes('?')) throw new Error('"?" is not known here; write "*", and mind that six fields begin with the seconds');
  const strange = fields.join('').replaceAll(/[\dA-Za-z*,/#-]/g, '')[0];
  if (strange !== undefined) throw new Error(`it has "${strange}" in it`);
  return fields.join(' ');
}
