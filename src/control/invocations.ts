/** What the relay has of invocations: their reports, and what functions used. None of it is on a request's way. */
import type { CallClient } from '../wire/calls.ts';
import { foundTraceSchema, logLinesSchema, type Trace, traceSchema, type UsageRow, usageRowsSchema } from '../wire/relay-calls.ts';

const limitMs = 5_000;

/** A report, and whose it is. */
export type FoundTrace = Trace & { readonly function: string };

/**
 * The report of one request; undefined when none is kept any more.
 * @param name the function's; undefined: any
 * @throws SwiftletError Unavailable while the relay is away, or when the search takes too long
 */
export async function findTrace(relay: CallClient, tenant: string, requestId: string, name?: string): Promise<FoundTrace | undefined> {
  const { found } = foundTraceSchema.parse(
    await relay.ask('trace', { tenant, requestId, ...(name === undefined ? {} : { function: name }) }, limitMs),
  );
  return found === undefined ? undefined : { function: found.function, ...traceSchema.parse(JSON.parse(found.line)) };
}

/** The newest reports that outlast the log, of cold starts and of the slowest requests; oldest first. @throws SwiftletError Unavailable */
export async function keptTraces(relay: CallClient, tenant: string, name: string, last: number): Promise<Trace[]> {
  return tracesIn(logLinesSchema.parse(await relay.ask('kept', { tenant, function: name, last }, limitMs)).lines);
}

/** The reports among the newest records of a function's log; oldest first. @throws SwiftletError Unavailable */
export async function loggedTraces(relay: CallClient, tenant: string, name: string, last: number): Promise<Trace[]> {
  return tracesIn(logLinesSchema.parse(await relay.ask('read', { tenant, function: name, last }, limitMs)).lines);
}

/** By function and day, newest day first. @throws SwiftletError Unavailable */
export async function readUsage(
  relay: CallClient,
  query: { readonly tenant: string; readonly function?: string; readonly from: string; readonly limit: number },
): Promise<UsageRow[]> {
  return usageRowsSchema.parse(await relay.ask('usage', query, limitMs)).rows;
}

const mebibyteMsInGibSeconds = 1024 * 1000;
/** Functions of one tenant that are added up; what is beyond is not counted. */
const addedUp = 10_000;

/** @param mebibyteMs milliseconds times MiB */
export const gbSecondsOf = (mebibyteMs: number): number => mebibyteMs / mebibyteMsInGibSeconds;

/** What a tenant's functions used on a day, and after it. @param day in UTC @throws SwiftletError Unavailable */
export async function gbSecondsOn(relay: CallClient, tenant: string, day: string): Promise<number> {
  const rows = await readUsage(relay, { tenant, from: day, limit: addedUp });
  return gbSecondsOf(rows.reduce((sum, { mebibyteMs }) => sum + mebibyteMs, 0));
}

const reportMark = '"level":"report"';

/** Lines that are no reports, or that a release wrote which is not understood, are left out. */
function tracesIn(lines: readonly string[]): Trace[] {
  return lines.flatMap((line) => {
    const trace = line.includes(reportMark) ? traceSchema.safeParse(jsonOf(line)) : undefined;
    return trace?.success === true ? [trace.data] : [];
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
