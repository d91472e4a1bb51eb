import type { JsMsg } from '@nats-io/jetstream';
import { headersOf } from './nats-headers.ts';
import { queueRecord } from './records.ts';
import type { Message } from './source.ts';

/** A message of a stream. */
export class StreamMessage implements Message {
  readonly raw: JsMsg;
  readonly id: string;
  readonly partition: string;

  constructor(raw: JsMsg, stream: string) {
    this.raw = raw;
    this.partition = stream;
    // With its time, since a stream that is made anew begins at 1 again.
    this.id = `${raw.seq}-${raw.timestampNanos}`;
  }

  get key(): string {
    return this.raw.subject;
  }

  get body(): Uint8Array {
    return this.raw.data;
  }

  get sentMs(): number {
    return this.raw.time.getTime();
  }

  record(): Record<string, unknown> {
    const { subject, headers, info, seq } = this.raw;
    return queueRecord({
      messageId: this.id,
      kind: 'jetstream',
      origin: this.partition,
      body: this.body,
      sentMs: this.sentMs,
      deliveries: info.deliveryCount,
      key: subject,
      attributes: { Subject: subject, SequenceNumber: String(seq) },
      headers: headersOf(headers),
    });
  }
}
