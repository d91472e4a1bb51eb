/** The durable consumer of a stream: made when it is not there, and kept as it has to be. */
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  type JetStreamManager,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { SwiftletError } from '../../model/errors.ts';
import type { JetStreamSource } from '../../model/sources/nats.ts';
import { hasCode } from './jetstream-fault.ts';
import type { SourceMeans, StartPosition } from './source.ts';

/** The server gives out again what it has heard nothing of for so long. */
export const ackWaitMs = 9_000;

/** Makes the consumer, or sees to it that one that is there is as it has to be. It goes on where it was. */
export async function demandConsumer(
  manager: JetStreamManager,
  { stream, subjects }: JetStreamSource,
  means: SourceMeans,
): Promise<ConsumerInfo> {
  const config: Partial<ConsumerConfig> = {
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: 2 * means.most.messages,
    ...(subjects === undefined ? {} : { filter_subjects: [...subjects] }),
  };
  const known = await manager.consumers.info(stream, means.consumer).catch((error: unknown) => {
    if (hasCode(error, JetStreamApiCodes.ConsumerNotFound)) return undefined;
    throw error;
  });
  if (known === undefined) {
    const made = { durable_name: means.consumer, ack_policy: AckPolicy.Explicit, ...startConfig(means.start), ...config };
    return manager.consumers.add(stream, made);
  }
  if (known.config.ack_policy !== AckPolicy.Explicit || known.config.deliver_subject !== undefined) {
    throw new SwiftletError(
      'SourceInvalid',
      `the stream ${stream} has a consumer ${means.consumer} of another kind; remove it there, or give "consumer" another name`,
    );
  }
  return manager.consumers.update(stream, means.consumer, config);
}

function startConfig(start: StartPosition): Partial<ConsumerConfig> {
  switch (start.kind) {
    case 'earliest':
      return { deliver_policy: DeliverPolicy.All };
    case 'latest':
      return { deliver_policy: DeliverPolicy.New };
    case 'at':
      return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(start.atMs).toISOString() };
  }
}
