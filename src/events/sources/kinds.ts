/** The kinds of sources there are. Each is loaded when the first source of its kind is consumed, its client library with it. */
import type { SourceOrigin } from '../../model/source.ts';
import type { SourceDriver, SourceMeans } from './source.ts';

export async function loadDriver(origin: SourceOrigin, means: SourceMeans): Promise<SourceDriver> {
  switch (origin.kind) {
    case 'nats':
      return (await import('./nats.ts')).sourceKind.driver(origin, means);
    case 'jetstream':
      return (await import('./jetstream.ts')).sourceKind.driver(origin, means);
    case 'rabbitmq':
      return (await import('./rabbitmq.ts')).sourceKind.driver(origin, means);
    case 'redis':
      return (await import('./redis.ts')).sourceKind.driver(origin, means);
    case 'mqtt':
      return (await import('./mqtt.ts')).sourceKind.driver(origin, means);
    case 'kafka':
      return (await import('./kafka.ts')).sourceKind.driver(origin, means);
    case 'postgresql':
      return (await import('./postgresql.ts')).sourceKind.driver(origin, means);
    case 'postgresql-notify':
      return (await import('./postgresql-notify.ts')).sourceKind.driver(origin, means);
    case 'folder':
      return (await import('./folder.ts')).sourceKind.driver(origin, means);
    case 's3':
      return (await import('./s3.ts')).sourceKind.driver(origin, means);
  }
}
