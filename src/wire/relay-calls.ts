/** What others say to the relay about logs. The relay serves. */
import { z } from 'zod';
import { callerSchema } from '../model/caller.ts';
import { phasesSchema, phaseSpanSchema, starts } from '../model/phases.ts';

const ms = z.number();

/** The start that an invocation waited for. */
export const reportedStartSchema = z.object({
  instanceId: z.string(),
  /** The request that had it started: this one, or another that came before it. */
  causedBy: z.string(),
  /** In milliseconds since the request came; below 0 for what had begun by then. */
  spans: z.array(phaseSpanSchema).readonly(),
  /** What a pool, or the publishing, had done ahead; nobody waited for it. */
  prepaid: phasesSchema,
});

/** The platform's last word on an invocation. */
export const reportSchema = z.object({
  /** `ok` or an error code. */
  outcome: z.string(),
  start: z.enum(starts),
  /** From the request's arrival to the end of its answer. */
  totalMs: ms.default(0),
  /** The handler. */
  durationMs: ms,
  /** The handler, and user-code init when this invocation pays for its start. */
  billedMs: ms,
  /** What the platform pays of a start: its phases before init. */
  platformMs: ms.default(0),
  queueMs: ms,
  memoryUsedMiB: z.number(),
  /** The invocation that caused it, when a function called this one. */
  caller: callerSchema.optional(),
  /** When cold. */
  initMs: ms.optional(),
  coldStart: reportedStartSchema.optional(),
});
export type Report = z.output<typeof reportSchema>;

/** A line as it is stored and read back: one JSON record a line. */
export const logRecordSchema = z.object({
  time: z.string(),
  /** `report` is the platform's own last word on an invocation. */
  level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'report', 'platform']),
  requestId: z.string().optional(),
  instanceId: z.string().optional(),
  version: z.int().optional(),
  message: z.string(),
  /** On a report only. */
  report: reportSchema.optional(),
});
export type LogRecord = z.output<typeof logRecordSchema>;

/** A report as it lies in the log. */
export const traceSchema = z.object({ time: z.string(), requestId: z.string(), version: z.int(), report: reportSchema });
export type Trace = z.output<typeof traceSchema>;

/** A day in UTC, like 2026-01-31. */
export const daySchema = z.iso.date();
const count = z.int().min(0);
/** What a function used on a day. */
export const usageCountsSchema = z.object({
  day: daySchema,
  /** Invocations by how their instance was found. */
  warm: count,
  thawed: count.default(0),
  awakened: count.default(0),
  provisioned: count.default(0),
  cold: count,
  billedMs: ms,
  /** Billed milliseconds times the memory that was configured. */
  mebibyteMs: ms,
  /** Phases before init that starts had. */
  platformMs: ms,
  prepaidMs: ms,
});
export type UsageCounts = z.output<typeof usageCountsSchema>;

/** Notice `open`, from the agent: read this slot's pipe from now on (its reader survives a restart of either side). */
export const openSchema = z.object({ slot: z.int(), fifo: z.string() });
/** Notice `label`, from the agent: lines of this slot belong to this instance from now on; before, they are the platform's. */
export const labelSchema = z.object({ slot: z.int(), tenant: z.string(), function: z.string(), version: z.int(), instanceId: z.string() });
/** Ask `close`, from the agent: the sandbox is gone. Answered with the last bytes of its output, at most 4 KiB, for the reason it died. */
export const closeSchema = z.object({ slot: z.int() });
export const closedSchema = z.object({ tail: z.string() });
/**
 * Notice `append`, from gateways and the agent: finished records, one JSON object a line, for this function's log, and what the
 * invocations among them used.
 */
export const appendSchema = z.object({ tenant: z.string(), function: z.string(), text: z.string(), usage: usageCountsSchema.optional() });
/** Notice `keep`, from gateways: reports that are kept for longer than the log: of cold starts, and of the slowest requests. */
export const keepSchema = z.object({ tenant: z.string(), function: z.string(), text: z.string() });

/** Ask `read`, from control: the last records of a function's log, oldest first. */
export const readLogSchema = z.object({ tenant: z.string(), function: z.string(), last: z.int().min(0).max(10_000) });
export const logLinesSchema = z.object({ lines: z.array(z.string()) });
/** Ask `follow`: from now on new records come as notice `lines` with the id, until notice `unfollow` or the connection's end. */
export const followSchema = z.object({ id: z.string(), tenant: z.string(), function: z.string() });
export const unfollowSchema = z.object({ id: z.string() });
export const followedLinesSchema = z.object({ id: z.string(), lines: z.array(z.string()) });
/** Ask `kept`, from control: the last of the reports that are kept. Answered with `logLinesSchema`. */
export const readKeptSchema = readLogSchema;
/** Ask `trace`, from control: the report of one request, of whatever function when none is named. */
export const findTraceSchema = z.object({ tenant: z.string(), requestId: z.uuid(), function: z.string().optional() });
export const foundTraceSchema = z.object({ found: z.object({ function: z.string(), line: z.string() }).optional() });
/** Ask `usage`, from control: by function and day, newest day first. */
export const readUsageSchema = z.object({
  tenant: z.string(),
  function: z.string().optional(),
  /** Days before this one are left out. */
  from: daySchema,
  limit: z.int().min(1),
});
export const usageRowSchema = usageCountsSchema.extend({ function: z.string() });
export const usageRowsSchema = z.object({ rows: z.array(usageRowSchema) });
export type UsageRow = z.output<typeof usageRowSchema>;
/** Ask `forget`, from control: the function was removed, its logs and reports go too; what it used stays. */
export const forgetSchema = z.object({ tenant: z.string(), function: z.string() });
