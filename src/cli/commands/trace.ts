import { SwiftletError } from '../../model/errors.ts';
import type { Traced } from '../api-client.ts';
import { connectApi } from '../connect-api.ts';
import { colours } from '../colours.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { startMs, waterfall } from '../waterfall.ts';

export interface TraceFlags {
  readonly function?: string;
  /** The function whose slowest requests are listed. */
  readonly slow?: string;
  readonly lines: number;
  readonly json?: boolean;
}

const barWidth = 40;

/** Shows one request as a waterfall, or lists a function's slowest ones. */
export async function trace(requestId: string | undefined, { function: name, slow, lines, json = false }: TraceFlags): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  if ((requestId === undefined) === (slow === undefined)) {
    throw new SwiftletError(
      'BadRequest',
      'name one request by its id, or a function with --slow; answers carry the id as x-swiftlet-request-id',
    );
  }
  if (slow !== undefined) {
    const slowest = await output.progress('reading', knownFunction(api, slow, api.slowest(slow, lines)));
    output.result(slowest, () => listText(slow, slowest));
  } else if (requestId !== undefined) {
    const traced = await output.progress('searching', api.trace(requestId, name));
    output.result(traced, () => traceText(traced));
  }
}

function traceText({ function: name, requestId, time, version, report }: Traced): string {
  const rows = waterfall(report, barWidth).map(([step = '', at = '', ms = '', prepaid = '', bar = '']) => [
    step,
    at.padStart(9),
    ms.padStart(9),
    colours.dim(prepaid.padStart(9)),
    step === 'handler' ? colours.green(bar) : colours.yellow(bar),
  ]);
  const head = `${colours.bold(name)} version ${version}, request ${requestId}, ended ${time}`;
  const how = `${printable(report.outcome)}, ${report.start} start, ${report.totalMs} ms in all; billed ${report.billedMs} ms, the platform's ${report.platformMs} ms`;
  return [
    head,
    how,
    ...callerText(report.caller),
    ...causeText(requestId, report.coldStart?.causedBy),
    '',
    table(['STEP', '    AT ms', '  TOOK ms', '  PREPAID', ''], rows),
  ].join('\n');
}

const callerText = (caller: Traced['report']['caller']): string[] =>
  caller === undefined ? [] : [`Called by ${printable(caller.function)}, request ${printable(caller.requestId)}.`];

function causeText(requestId: string, causedBy: string | undefined): string[] {
  if (causedBy === undefined || causedBy === '' || causedBy === requestId) return [];
  return [`It waited for the instance that request ${printable(causedBy)} had started; what is drawn lighter was over before it came.`];
}

function listText(name: string, slowest: readonly Traced[]): string {
  if (slowest.length === 0) return `No requests of ${name} are kept yet.`;
  return table(
    ['REQUEST', 'ENDED', 'START', 'TOTAL ms', 'QUEUE ms', 'START ms', 'HANDLER ms', 'OUTCOME'],
    slowest.map(({ requestId, time, report }) => [
      requestId,
      time,
      report.start,
      report.totalMs.toFixed(2),
      report.queueMs.toFixed(2),
      startMs(report).toFixed(2),
      report.durationMs.toFixed(2),
      printable(report.outcome),
    ]),
  );
}
