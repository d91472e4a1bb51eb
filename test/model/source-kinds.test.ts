import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sourceOriginSchema } from '../../src/model/source.ts';

/** What each kind has to have at least. */
const least: readonly Readonly<Record<string, unknown>>[] = [
  { kind: 'redis', address: 'redis://redis:6379', stream: 'orders' },
  { kind: 'rabbitmq', address: 'amqps://rabbit/shop', queue: 'orders' },
  { kind: 'mqtt', address: 'mqtt://broker:1883', topic: 'sensors/+/x' },
  { kind: 'kafka', servers: ['kafka-1:9092', '[::1]:9092'], topic: 'orders' },
  { kind: 'postgresql', address: 'postgres://db/shop', user: 'swiftlet', publication: 'orders' },
  { kind: 'postgresql-notify', address: 'postgresql://db/shop', user: 'swiftlet', channels: ['jobs'] },
  { kind: 'folder', path: '/srv/scans' },
  { kind: 's3', address: 'http://minio:9000', bucket: 'uploads', accessKey: 'k', secretKeyVariable: 'SECRET' },
];

const wrong: readonly (readonly [what: string, change: Readonly<Record<string, unknown>>, at: string])[] = [
  ['a password in an address', { kind: 'redis', address: 'redis://u:p@redis', stream: 's' }, 'address'],
  ['another protocol', { kind: 'rabbitmq', address: 'http://rabbit', queue: 'q' }, 'address'],
  ['a topic that is none', { kind: 'mqtt', address: 'mqtt://b', topic: 'a/#/b' }, 'topic'],
  ['a server without a port', { kind: 'kafka', servers: ['kafka'], topic: 't' }, 'servers.0'],
  ['a topic with a space', { kind: 'kafka', servers: ['kafka:1'], topic: 'a b' }, 'topic'],
  ['no channel', { kind: 'postgresql-notify', address: 'postgres://db', user: 'u', channels: [] }, 'channels'],
  ['a path that goes up', { kind: 'folder', path: '/srv/../etc' }, 'path'],
  ['a bucket with large letters', { kind: 's3', address: 'http://m', bucket: 'Up', accessKey: 'k', secretKeyVariable: 'S' }, 'bucket'],
  ['what is no variable', { kind: 'redis', address: 'redis://redis', stream: 's', passwordVariable: 'a-b' }, 'passwordVariable'],
];

describe('what a source is told', () => {
  for (const settings of least) it(`of ${String(settings['kind'])} is understood`, () => void sourceOriginSchema.parse(settings));

  for (const [what, settings, at] of wrong)
    it(`is refused with its place: ${what}`, () => {
      const { error } = sourceOriginSchema.safeParse(settings);
      assert.deepEqual(
        error?.issues.map(({ path }) => path.join('.')),
        [at],
      );
    });
});
