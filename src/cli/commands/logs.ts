import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import colors from 'picocolors';
import { type LogRecord, logRecordSchema } from '../../wire/relay-calls.ts';
import { connectApi } from '../api-client.ts';

export interface LogsFlags {
  readonly follow?: boolean;
  readonly lines: string;
  readonly json?: boolean;
}

export async function logs(name: string, { follow = false, lines, json = false }: LogsFlags): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => process.exit(0));
  const body = await connectApi(process.env).logs(name, Number(lines), follow, stop.signal);
  for await (const line of createInterface({ input: Readable.fromWeb(body as NodeReadableStream) })) {
    if (line === '') continue;
    process.stdout.write(json ? `${line}\n` : `${readable(line)}\n`);
  }
}

const paint: Readonly<Record<LogRecord['level'], (text: string) => string>> = {
  trace: colors.dim,
  debug: colors.dim,
  info: (text) => text,
  warn: colors.yellow,
  error: colors.red,
  fatal: colors.red,
  report: colors.dim,
  platform: colors.magenta,
};

function readable(line: string): string {
  const { success, data: record } = logRecordSchema.safeParse(JSON.parse(line));
  if (!success) return line;
  const prefix = `${colors.dim(record.time)} ${record.level.padEnd(6)} ${colors.dim((record.requestId ?? '-').slice(0, 8))}`;
  return `${prefix} ${paint[record.level](record.report === undefined ? record.message : reportText(record.report))}`;
}

function reportText(report: NonNullable<LogRecord['report']>): string {
  const init = report.initMs === undefined ? '' : `, init ${report.initMs} ms`;
  return `${report.outcome}, ${report.start} start, ${report.durationMs} ms (billed ${report.billedMs} ms${init}), waited ${report.queueMs} ms, ${report.memoryUsedMiB} MiB used`;
}
