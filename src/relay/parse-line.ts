import { z } from 'zod';
import type { LogRecord } from '../wire/relay-calls.ts';

/** What a runtime puts before a line of its own making. Other programs may write it too; they can only mislead about themselves. */
const mark = '\x1e';
const runtimeLineSchema = z.tuple([
  z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
  z.number(),
  z.string().max(64),
  z.string(),
]);
const cutMark = /… \(\d+ bytes cut\)$/;

/** A line of a sandbox's output as a record. A raw line, which some other program wrote, is of level info and of no request. */
export function parseLine(line: string, now: () => Date): Pick<LogRecord, 'time' | 'level' | 'message' | 'requestId'> {
  if (line.startsWith(mark)) {
    const parsed = parseRuntimeLine(line.slice(1));
    if (parsed !== undefined) {
      const [level, time, requestId, message] = parsed;
      return { time: dateOf(time, now).toISOString(), level, message, ...(requestId === '' ? {} : { requestId }) };
    }
  }
  return { time: now().toISOString(), level: 'info', message: line };
}

function parseRuntimeLine(text: string): z.output<typeof runtimeLineSchema> | undefined {
  try {
    return runtimeLineSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // A long line was cut in the middle of its JSON: what is left of its text is better than nothing.
    const head = /^\["(trace|debug|info|warn|error|fatal)",(\d+),"([^"]{0,64})","(.*)$/s.exec(text);
    const [, level, time, id, message] = head ?? [];
    if (level === undefined || !cutMark.test(text)) return undefined;
    return runtimeLineSchema.safeParse([level, Number(time), id, message]).data;
  }
}

function dateOf(milliseconds: number, now: () => Date): Date {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? now() : date;
}
