/** `keepWarm` of `swiftlet.yaml`, as people write it, and as the configuration has it. */
import { z } from 'zod';
import type { keepWarmSchema } from '../model/keep-warm.ts';
import * as limits from '../model/limits.ts';
import { cronSchema, timeZoneSchema } from '../model/timer.ts';
import { durationSchema } from './quantities.ts';

export const keepWarmEntrySchema = z
  .strictObject(
    {
      rate: durationSchema(limits.timerRateMs)
        .optional()
        .describe('Every so often, more often than idle: a number of seconds, or one with s, m or h'),
      cron: cronSchema.optional().describe('Minute, hour, day, month, weekday'),
      timeZone: timeZoneSchema.optional().describe('Like Europe/Berlin; default UTC'),
      handler: z.boolean('it is true or false').optional().describe('Whether the handler gets the event, too; default false'),
    },
    'it has rate or cron, and may have timeZone and handler',
  )
  .refine(({ rate, cron }) => (rate === undefined) !== (cron === undefined), 'it has one of rate and cron')
  .refine(({ rate, timeZone }) => rate === undefined || timeZone === undefined, 'a rate is the same in each time zone; leave out timeZone');

export function planKeepWarm({ rate, cron, timeZone, handler }: z.output<typeof keepWarmEntrySchema>): z.input<typeof keepWarmSchema> {
  if (cron !== undefined) return { kind: 'cron', expression: cron, timeZone, callsHandler: handler };
  // One of both is there.
  return { kind: 'rate', everyMs: rate ?? limits.timerRateMs.max, callsHandler: handler };
}
