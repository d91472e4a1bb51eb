/** Sends to a subject of NATS, or to one that a stream keeps. */
import { jetstream } from '@nats-io/jetstream';
import { errors, headers as makeHeaders } from '@nats-io/transport-node';
import { SwiftletError } from '../../model/errors.ts';
import type { JetStreamQueue, NatsQueue } from '../../model/sources/nats.ts';
import { closeNats, connectNats, natsFault, type NatsConnection } from './nats-connection.ts';
import type { Outgoing, Sink, SinkKind } from './sink.ts';

const name = 'swiftlet-destination';
const sendLimitMs = 5_000;

export const sinkKind: SinkKind<NatsQueue | JetStreamQueue> = {
  async open(settings, { secret }) {
    const connection = await connectNats(settings, name, secret, new AbortController().signal);
    return {
      async send(message) {
        demandSize(connection, message);
        try {
          await (settings.kind === 'nats' ? publish(connection, settings, message) : store(connection, settings, message));
        } catch (error) {
          throw faultOf(error, settings);
        }
      },
      [Symbol.asyncDispose]: () => closeNats(connection),
    } satisfies Sink;
  },
};

/** NATS confirms nothing of a message; that the server answered after it says that it came there. */
async function publish(connection: NatsConnection, { subject }: NatsQueue, message: Outgoing): Promise<void> {
  connection.publish(subject, message.body, { headers: headersOf(message) });
  await connection.flush();
}

/** The stream takes a message with the same id once, within its window for duplicates. */
async function store(connection: NatsConnection, { subject }: JetStreamQueue, message: Outgoing): Promise<void> {
  await jetstream(connection).publish(subject, message.body, {
    headers: headersOf(message),
    msgID: message.id,
    timeout: sendLimitMs,
    retries: 0,
  });
}

function headersOf({ contentType }: Outgoing) {
  const headers = makeHeaders();
  headers.set('content-type', contentType);
  return headers;
}

function demandSize({ info }: NatsConnection, { body }: Outgoing): void {
  const most = info?.max_payload ?? Number.POSITIVE_INFINITY;
  if (body.length <= most) return;
  throw new SwiftletError(
    'RequestTooLarge',
    `the message has ${body.length} bytes, and the NATS server takes ${most}; raise its max_payload`,
  );
}

function faultOf(error: unknown, settings: NatsQueue | JetStreamQueue): SwiftletError {
  const isNobody = error instanceof errors.NoRespondersError || (error instanceof Error && error.cause instanceof errors.NoRespondersError);
  if (isNobody || (error instanceof errors.RequestError && error.isNoResponders()))
    return new SwiftletError(
      'SourceMissing',
      `no stream at ${settings.servers.join(', ')} keeps the subject ${settings.subject}; add it to one, or correct "subject"`,
    );
  return natsFault(error, settings);
}
