/** When the clock invokes a function. Timers are part of its configuration, and so of its version. */
import { z } from 'zod';
import * as limits from './limits.ts';

/** What becomes of runs that came while nobody could carry them out: none is made up for, one for all of them, or each. */
export const missedPolicies = ['skip', 'once', 'all'] as const;

/** A time of a zone's clock, or a moment when it says its offset. */
export const timeSchema = z.iso.datetime({
  offset: true,
  local: true,
  error: 'a time is like 2026-03-01T09:00:00 (in the timer’s zone), or with an offset: 2026-03-01T09:00:00Z, 2026-03-01T09:00:00+01:00',
});

export const timeZoneSchema = z.string().min(1).max(64);
export const cronSchema = z.string().min(1).max(limits.maxCronLength);

const common = {
  timeZone: timeZoneSchema.default('UTC'),
  /** Each run is put off by a part of this, another one each time, so that not all come together. */
  jitterMs: z.int().min(0).max(limits.timerJitterMs.max).default(0),
};
const repeated = {
  ...common,
  /** No run comes before it. */
  start: timeSchema.optional(),
  /** No run comes after it. */
  end: timeSchema.optional(),
  missed: z.enum(missedPolicies).default('skip'),
};

/** Whether its values make sense – the zone, the expression – `timerFault` of schedule.ts says. */
export const timerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cron'), expression: cronSchema, ...repeated }),
  /** Counted from its start, or from when the platform first saw the timer. */
  z.strictObject({ kind: z.literal('rate'), everyMs: z.int().min(limits.timerRateMs.min).max(limits.timerRateMs.max), ...repeated }),
  z.strictObject({ kind: z.literal('once'), at: timeSchema, ...common, missed: z.enum(['skip', 'once']).default('once') }),
]);
export type Timer = z.output<typeof timerSchema>;
export type CronTimer = Extract<Timer, { kind: 'cron' }>;
