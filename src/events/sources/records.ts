/** The record of a message for kinds that Lambda has no event of: the shape of SQS, which code that takes queues knows. */
import { isUtf8 } from 'node:buffer';

export interface QueueRecord {
  readonly messageId: string;
  /** The kind of the source. */
  readonly kind: string;
  /** Names what was consumed: a subject, a queue. */
  readonly origin: string;
  readonly body: Uint8Array;
  readonly sentMs: number | undefined;
  /** How often it came, as the server counts; 1 when it does not. */
  readonly deliveries: number;
  readonly key: string | undefined;
  /** What else the server tells of it. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Its headers. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @returns JSON. A body that is no text is Base64, which `isBase64Encoded` says. */
export function queueRecord(of: QueueRecord): Record<string, unknown> {
  const body = Buffer.from(of.body);
  const isText = isUtf8(body);
  return {
    messageId: of.messageId,
    body: body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
    attributes: {
      ApproximateReceiveCount: String(of.deliveries),
      ...(of.sentMs === undefined ? {} : { SentTimestamp: String(of.sentMs) }),
      ...(of.key === undefined ? {} : { MessageGroupId: of.key }),
      ...of.attributes,
    },
    messageAttributes: Object.fromEntries(
      Object.entries(of.headers).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' }]),
    ),
    eventSource: `swiftlet:${of.kind}`,
    eventSourceARN: `arn:swiftlet:${of.kind}:local::${of.origin}`,
    awsRegion: 'local',
  };
}

/** The event that has such records. */
export const queueEvent = (messages: readonly { record(): object }[]): { Records: object[] } => ({
  Records: messages.map((message) => message.record()),
});
