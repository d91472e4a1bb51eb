import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upOptions } from '../../src/cli/up/options.ts';

const placeOf = (text?: string) => upOptions(text === undefined ? {} : { SWIFTLET_EVENT_LOG: text }).eventLog;

test('where events are stored: this host, or a stream', () => {
  assert.deepEqual(placeOf(), { kind: 'sqlite' });
  assert.deepEqual(placeOf('nats://127.0.0.1:4222'), {
    kind: 'nats',
    servers: 'nats://127.0.0.1:4222',
    stream: 'swiftlet-events',
    replicas: 1,
  });
  assert.deepEqual(placeOf('tls://u:p@a:1,b:2,c:3/orders?replicas=3'), {
    kind: 'nats',
    servers: 'tls://u:p@a:1,tls://b:2,tls://c:3',
    stream: 'orders',
    replicas: 3,
  });
  for (const wrong of ['postgres://a', 'nats://', 'nats://a/x.y', 'nats://a?replicas=9', 'nats://a:port', ''])
    assert.throws(() => placeOf(wrong), { code: 'BadRequest', message: /SWIFTLET_EVENT_LOG: it is "sqlite", or/ }, wrong);
});
