import { SwiftletError } from '../../model/errors.ts';
import { type LogRecord, logRecordSchema } from '../../wire/relay-calls.ts';
import { connectApi } from '../connect-api.ts';
import { colours } from '../colours.ts';
import { exitCode } from '../exit-codes.ts';
import { knownFunction } from '../known-function.ts';
import { linesOf } from '../lines.ts';
import { printable } from '../printable.ts';

export interface LogsFlags {
  readonly follow?: boolean;
  readonly lines: number;
  readonly json?: boolean;
}

export async function logs(name: string, { follow = false, lines, json = false }: LogsFlags): Promise<void> {
  // To stop following is how it is meant to end.
  process.once('SIGINT', () => process.exit(exitCode.ok));
  const api = connectApi(process.env);
  const { body } = await knownFunction(api, name, api.logs(name, lines, follow));
  if (body === null) return;
  try {
    for await (const line of linesOf(body)) if (line !== '') process.stdout.write(`${json ? line : readable(line)}\n`);
  } catch (error) {
    throw new SwiftletError('Unavailable', 'the log broke off: the platform has gone; ask again when it is back', { cause: error });
  }
}

const paint: Readonly<Record<LogRecord['level'], (text: string) => string>> = {
  trace: colours.dim,
  debug: colours.dim,
  info: (text) => text,
  warn: colours.yellow,
  error: colours.red,
  fatal: colours.red,
  report: colours.dim,
  platform: colours.magenta,
};

function readable(line: string): string {
  const record = recordOf(line);
  if (record === undefined) return printable(line);
  const prefix = `${colours.dim(record.time)} ${record.level.padEnd(8)} ${colours.dim(printable((record.requestId ?? '-').slice(0, 8)))}`;
  return `${prefix} ${paint[record.level](record.report === undefined ? printable(record.message) : reportText(record.report))}`;
}

/** @returns undefined for what a newer platform may write */
function recordOf(line: string): LogRecord | undefined {
  try {
    return logRecordSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function reportText(report: NonNullable<LogRecord['report']>): string {
  const init = report.initMs === undefined ? '' : `, init ${report.initMs} ms`;
  const platform = report.platformMs === 0 ? '' : `, platform ${report.platformMs} ms`;
  return `${report.outcome}, ${report.start} start, ${report.durationMs} ms (billed ${report.billedMs} ms${init}${platform}), waited ${report.queueMs} ms, ${report.memoryUsedMiB} MiB used`;
}
