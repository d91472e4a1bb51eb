/** A Kafka message in the shape that Lambda has for Kafka. */
import type { Message as KafkaMessage } from '@platformatic/kafka';
import type { Message } from './source.ts';

export type RawMessage = Pick<KafkaMessage, 'topic' | 'partition' | 'offset' | 'timestamp' | 'headers'> & {
  /** Messages have no key, and deletions of compacted topics no value, whatever the library's types say. */
  readonly key: Buffer | null | undefined;
  readonly value: Buffer | null | undefined;
};

const partitionName = (topic: string, partition: number | string): string => `${topic}-${partition}`;
const idOf = (partition: string, offset: bigint | number): string => `${partition}@${offset}`;

export function messageOf(raw: RawMessage): Message {
  const partition = partitionName(raw.topic, raw.partition);
  return {
    id: idOf(partition, raw.offset),
    partition,
    key: raw.key?.toString(),
    body: raw.value ?? Buffer.alloc(0),
    sentMs: Number(raw.timestamp),
    record: () => ({
      topic: raw.topic,
      partition: raw.partition,
      offset: Number(raw.offset),
      timestamp: Number(raw.timestamp),
      timestampType: 'CREATE_TIME',
      ...(raw.key == null ? {} : { key: raw.key.toString('base64') }),
      value: raw.value == null ? null : raw.value.toString('base64'),
      headers: [...raw.headers].map(([name, value]) => ({ [name.toString()]: [...value] })),
    }),
  };
}

/** @param messages at least one */
export function kafkaEvent(servers: readonly string[], messages: readonly Message[]): object {
  const byPartition = Map.groupBy(messages, ({ partition }) => partition);
  const records = [...byPartition].map(([partition, ofPartition]) => [partition, ofPartition.map((message) => message.record())] as const);
  return { eventSource: 'SelfManagedKafka', bootstrapServers: servers.join(','), records: Object.fromEntries(records) };
}

/** Functions name a Kafka message as Lambda has it: `{ "partition": "orders-0", "offset": 42 }`. */
export function idOfItem(itemIdentifier: object): string | undefined {
  const { partition, offset } = itemIdentifier as { readonly partition?: unknown; readonly offset?: unknown };
  return typeof partition === 'string' && typeof offset === 'number' ? idOf(partition, offset) : undefined;
}
