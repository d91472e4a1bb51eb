/** The kinds of queues that can be sent to. Each is loaded when it is first used. */
import type { QueueTarget } from '../../model/queue-target.ts';
import type { Sink, SinkMeans } from './sink.ts';

export async function openSink(target: QueueTarget, means: SinkMeans): Promise<Sink> {
  switch (target.kind) {
    case 'nats':
    case 'jetstream':
      return (await import('./nats-sink.ts')).sinkKind.open(target, means);
    case 'rabbitmq':
      return (await import('./rabbitmq-sink.ts')).sinkKind.open(target, means);
    case 'redis':
      return (await import('./redis-sink.ts')).sinkKind.open(target, means);
  }
}
