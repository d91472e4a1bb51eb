/** When a function is called so that an instance of it stays warm. Part of its configuration, and so of its version. */
import { z } from 'zod';
import * as limits from './limits.ts';
import { cronSchema, type Timer, timerSchema, timeZoneSchema } from './timer.ts';

/** Whether the handler gets the event, too; else the runtime answers it. */
const callsHandler = z.boolean().default(false);

/** Whether its values make sense `timerFault` says, of `keepWarmTimer`. */
export const keepWarmSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rate'), everyMs: z.int().min(limits.timerRateMs.min).max(limits.timerRateMs.max), callsHandler }),
  z.strictObject({ kind: z.literal('cron'), expression: cronSchema, timeZone: timeZoneSchema.default('UTC'), callsHandler }),
]);
export type KeepWarm = z.output<typeof keepWarmSchema>;

/** The `source` of such an event, and the type of a CloudEvent: code can tell by it what it is called for. */
export const keepWarmMark = 'swiftlet.keep-warm';

/** When it is due, as a timer; one that was missed is not made up for. */
export const keepWarmTimer = (keepWarm: KeepWarm): Timer =>
  timerSchema.parse(
    keepWarm.kind === 'rate'
      ? { kind: 'rate', everyMs: keepWarm.everyMs }
      : { kind: 'cron', expression: keepWarm.expression, timeZone: keepWarm.timeZone },
  );

/** What of it does not go together with the rest of a function's configuration; undefined when it is fine. */
export function keepWarmFault(
  keepWarm: KeepWarm,
  { process, idleMs }: { readonly process: 'resident' | 'one-shot'; readonly idleMs: number },
): string | undefined {
  if (process === 'one-shot')
    return 'a one-shot instance serves a single request, so that nothing of it can be kept warm; "minimum" keeps some ready';
  if (keepWarm.kind === 'rate' && keepWarm.everyMs >= idleMs)
    return `every ${keepWarm.everyMs} ms is too seldom: after ${idleMs} ms without requests the instance is gone; raise "idle", or lower this`;
  return undefined;
}
