/** What others say to the relay about logs. The relay serves. */
import { z } from 'zod';

/** A line as it is stored and read back: one JSON record a line. */
export const logRecordSchema = z.object({
  time: z.string(),
  /** `report` is the platform's own last word on an invocation. */
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'report', 'platform']),
  requestId: z.string().optional(),
  instanceId: z.string().optional(),
  version: z.int().optional(),
  message: z.string(),
  /** On a report only. Milliseconds, and MiB. */
  report: z
    .object({
      outcome: z.string(),
      start: z.enum(['warm', 'cold']),
      durationMs: z.number(),
      billedMs: z.number(),
      queueMs: z.number(),
      memoryUsedMiB: z.number(),
      initMs: z.number().optional(),
    })
    .optional(),
});
export type LogRecord = z.output<typeof logRecordSchema>;

/** Notice `open`, from the agent: read this slot's pipe from now on (its reader survives a restart of either side). */
export const openSchema = z.object({ slot: z.int(), fifo: z.string() });
/** Notice `label`, from the agent: lines of this slot belong to this instance from now on; before, they are the platform's. */
export const labelSchema = z.object({ slot: z.int(), tenant: z.string(), function: z.string(), version: z.int(), instanceId: z.string() });
/** Ask `close`, from the agent: the sandbox is gone. Answered with the last bytes of its output, at most 4 KiB, for the reason it died. */
export const closeSchema = z.object({ slot: z.int() });
export const closedSchema = z.object({ tail: z.string() });
/** Notice `append`, from gateways and the agent: finished records, one JSON object a line, for this function's log. */
export const appendSchema = z.object({ tenant: z.string(), function: z.string(), text: z.string() });

/** Ask `read`, from control: the last records of a function's log, oldest first. */
export const readLogSchema = z.object({ tenant: z.string(), function: z.string(), last: z.int().min(0).max(10_000) });
export const logLinesSchema = z.object({ lines: z.array(z.string()) });
/** Ask `follow`: from now on new records come as notice `lines` with the id, until notice `unfollow` or the connection's end. */
export const followSchema = z.object({ id: z.string(), tenant: z.string(), function: z.string() });
export const unfollowSchema = z.object({ id: z.string() });
export const followedLinesSchema = z.object({ id: z.string(), lines: z.array(z.string()) });
/** Ask `forget`, from control: the function was removed, its logs go too. */
export const forgetSchema = z.object({ tenant: z.string(), function: z.string() });
