/** The end of an invocation's log as Lambda's clients show it: what it printed between START and END, and a REPORT. Pure. */
import type { LogRecord } from '../wire/relay-calls.ts';

const tailBytes = 4_096;

export interface LogOf {
  readonly requestId: string;
  /** `$LATEST`, or a number. */
  readonly version: string;
  readonly memoryMiB: number;
}

/** @param records of the function's log, oldest first, also of other requests @returns the last 4 KiB, in Base64 */
export function logTail(records: readonly LogRecord[], { requestId, version, memoryMiB }: LogOf): string {
  const own = records.filter((record) => record.requestId === requestId);
  const report = own.find((record) => record.report !== undefined)?.report;
  const printed = own.filter((record) => record.report === undefined).map((record) => lineOf(record, requestId));
  const lines = [
    `START RequestId: ${requestId} Version: ${version}`,
    ...printed,
    `END RequestId: ${requestId}`,
    ...(report === undefined
      ? []
      : [
          [
            `REPORT RequestId: ${requestId}`,
            `Duration: ${report.durationMs.toFixed(2)} ms`,
            `Billed Duration: ${report.billedMs} ms`,
            `Memory Size: ${memoryMiB} MB`,
            `Max Memory Used: ${Math.ceil(report.memoryUsedMiB)} MB`,
            ...(report.initMs === undefined ? [] : [`Init Duration: ${report.initMs.toFixed(2)} ms`]),
          ].join('\t'),
        ]),
  ];
  return Buffer.from(`${lines.join('\n')}\n`)
    .subarray(-tailBytes)
    .toString('base64');
}

const lineOf = ({ time, level, message }: LogRecord, requestId: string): string =>
  `${time}\t${requestId}\t${level.toUpperCase()}\t${message}`;
