/** A message as filter patterns see it: its record, with its data as JSON where it is JSON, else as text. */
import type { Message } from './source.ts';

/** @param dataKey the key of the record that has the message's bytes; undefined when none has */
export function filterViewOf(message: Pick<Message, 'body' | 'record'>, dataKey: string | undefined): Readonly<Record<string, unknown>> {
  const record = message.record();
  if (dataKey === undefined) return record;
  const text = Buffer.from(message.body).toString();
  return { ...record, [dataKey]: jsonOr(text) };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
