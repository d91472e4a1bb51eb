/** What Redis answers about streams (RESP2), understood. */
import { isUtf8 } from 'node:buffer';
import { queueRecord } from './records.ts';
import type { Message, StartPosition } from './source.ts';

export interface RedisEntry {
  /** `<ms>-<number>` */
  readonly id: string;
  /** Names and values in turn; undefined: the stream has lost it, for it was trimmed. */
  readonly fields: readonly Buffer[] | undefined;
}

/** @param reply of XREADGROUP with one stream */
export function entriesOf(reply: unknown): readonly RedisEntry[] {
  const [stream] = listOf(reply);
  return listOf(listOf(stream)[1]).map((entry) => {
    const [id, fields] = listOf(entry);
    return { id: textOf(id), fields: Array.isArray(fields) ? fields.map(bytesOf) : undefined };
  });
}

/**
 * @param field the one that is the message, beside which the others are told; of an entry without it they are the message, as JSON
 * @param fields names and values in turn
 */
export function messageOf(stream: string, field: string, id: string, fields: readonly Buffer[]): Message {
  const others: Record<string, string> = {};
  let data: Buffer | undefined;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name, value] = [textOf(fields[at]), bytesOf(fields[at + 1])];
    if (name === field) data = value;
    else Object.defineProperty(others, name, { value: isUtf8(value) ? textOf(value) : value.toString('base64'), enumerable: true });
  }
  const body = data ?? Buffer.from(JSON.stringify(others));
  const sentMs = Number(id.split('-')[0]);
  return {
    id,
    partition: stream,
    key: undefined,
    body,
    sentMs,
    record: () =>
      queueRecord({
        messageId: id,
        kind: 'redis',
        origin: stream,
        body,
        sentMs,
        deliveries: 1,
        key: undefined,
        attributes: {},
        headers: others,
      }),
  };
}

/** What XINFO tells in pairs. */
export function pairsOf(reply: unknown): ReadonlyMap<string, unknown> {
  const list = listOf(reply);
  return new Map(list.flatMap((name, at) => (at % 2 === 0 ? [[textOf(name), list[at + 1]] as const] : [])));
}

export interface GroupStart {
  /** The entry behind which the group begins. */
  readonly id: string;
  /** How many entries lie before it, where that is known: Redis cannot tell a group's lag otherwise. */
  readonly entriesRead: number | undefined;
}

/** @param stream what XINFO STREAM tells; undefined when there is no stream: all that comes to it is new */
export function groupStartOf(start: StartPosition, stream: ReadonlyMap<string, unknown> | undefined): GroupStart {
  if (start.kind === 'earliest' || stream === undefined) return { id: '0', entriesRead: undefined };
  if (start.kind === 'at') return { id: `${start.atMs - 1}-18446744073709551615`, entriesRead: undefined };
  return { id: textOf(stream.get('last-generated-id')), entriesRead: numberOf(stream.get('entries-added')) };
}

export const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
export const textOf = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString() : String(value));
const bytesOf = (value: unknown): Buffer => (Buffer.isBuffer(value) ? value : Buffer.from(String(value)));
