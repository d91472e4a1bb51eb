import { type LogOf, logTail } from '../../lambda/log-tail.ts';
import type { Version } from '../../model/function.ts';
import type { CallClient } from '../../wire/calls.ts';
import { logLinesSchema, type LogRecord, logRecordSchema } from '../../wire/relay-calls.ts';
import type { Reports } from '../figures/reports.ts';

const readLimitMs = 2_000;
/** Of the function's log; others' lines may lie between. */
const lastRecords = 2_000;

export interface LogTailMeans {
  readonly relay: Pick<CallClient, 'ask'>;
  readonly reports: Pick<Reports, 'flush'>;
}

/**
 * The end of an invocation's log, in Base64, as soon as its answer is there.
 * @throws SwiftletError Unavailable while the relay is away
 */
export async function readLogTail(
  { relay, reports }: LogTailMeans,
  { served, ...of }: { readonly served: Version } & Pick<LogOf, 'requestId' | 'version'>,
): Promise<string> {
  const read = async (last: number): Promise<LogRecord[]> => {
    const asked = { tenant: served.tenant, function: served.function, last };
    const { lines } = logLinesSchema.parse(await relay.ask('read', asked, readLimitMs));
    return lines.flatMap((line) => logRecordSchema.safeParse(JSON.parse(line)).data ?? []);
  };
  reports.flush();
  // What was printed lies in a pipe that the relay reads in the same round in which this question comes: the next finds it in the log.
  await read(0);
  return logTail(await read(lastRecords), { ...of, memoryMiB: served.config.memoryMiB });
}
