/** A RabbitMQ message in the shape that Lambda has for Amazon MQ, and beside it the id by which a function can say that it failed. */
import type { ConsumeMessage } from 'amqplib';

/** What AMQP calls its properties, and Lambda its basic properties, in the same words. */
const properties = [
  ...['contentType', 'contentEncoding', 'deliveryMode', 'priority', 'correlationId', 'replyTo', 'expiration', 'messageId', 'timestamp'],
  ...['type', 'userId', 'appId', 'clusterId'],
] as const;

export function rabbitmqRecord(id: string, { content, fields, properties: given }: ConsumeMessage): Readonly<Record<string, unknown>> {
  const known: Readonly<Record<string, unknown>> = { ...given };
  return {
    id,
    basicProperties: {
      ...Object.fromEntries(properties.map((name) => [name, known[name] ?? null])),
      headers: headersOf(known['headers']),
      bodySize: content.length,
    },
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    redelivered: fields.redelivered,
    data: content.toString('base64'),
  };
}

/** Lambda has texts as their bytes, and everything else as JSON. */
function headersOf(headers: unknown): Readonly<Record<string, unknown>> {
  return typeof headers === 'object' && headers !== null
    ? Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, headerOf(value)]))
    : {};
}

function headerOf(value: unknown): unknown {
  if (typeof value === 'string') return { bytes: [...Buffer.from(value)] };
  if (Buffer.isBuffer(value)) return { bytes: [...value] };
  return value ?? null;
}
