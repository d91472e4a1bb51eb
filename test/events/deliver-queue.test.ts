/** Deliveries to queues: what comes of each way that a sink can go, and how long its connection is kept. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { QueueSender } from '../../src/events/deliver-queue.ts';
import type { Delivery } from '../../src/events/deliver.ts';
import type { Outgoing, SinkMeans } from '../../src/events/sources/sink.ts';
import type { Variable } from '../../src/wire/variables.ts';
import { type ErrorCode, SwiftletError } from '../../src/model/errors.ts';
import type { QueueTarget } from '../../src/model/queue-target.ts';
import type { QueueRequest } from '../../src/wire/event-calls.ts';

const to: QueueTarget = { kind: 'nats', servers: ['nats://broker:4222'], subject: 'ends', user: 'me', passwordVariable: 'PASSWORD' };
const delivery: Delivery<QueueRequest> = {
  id: 'the-event',
  tenant: 'default',
  function: 'told',
  request: { kind: 'queue', to },
  body: Buffer.from('{}'),
  hops: 0,
  isServed: true,
  limitMs: 1_000,
};
const never = new AbortController().signal;

function senderOf(t: TestContext, send: (message: Outgoing) => void, password: Variable = { kind: 'known', value: 'secret' }) {
  const seen = { opened: 0, closed: 0, secrets: [] as string[] };
  const sender = new QueueSender({
    variableOf: () => password,
    // eslint-disable-next-line @typescript-eslint/require-await -- what it throws is to be a rejection
    open: async (target, { secret }: SinkMeans) => {
      seen.opened += 1;
      seen.secrets.push(secret(target.passwordVariable ?? ''));
      return {
        // eslint-disable-next-line @typescript-eslint/require-await -- as above
        send: async (message: Outgoing) => send(message),
        [Symbol.asyncDispose]: () => {
          seen.closed += 1;
          return Promise.resolve();
        },
      };
    },
  });
  t.after(() => sender[Symbol.asyncDispose]());
  return { sender, seen };
}

test('several go over one connection, with the event’s id; it is closed in the end', async (t) => {
  const sent: Outgoing[] = [];
  const { sender, seen } = senderOf(t, (message) => void sent.push(message));
  for (let count = 0; count < 2; count += 1) assert.equal((await sender.deliver(delivery, never)).kind, 'answered');
  assert.deepEqual([sent.map(({ id }) => id), seen.opened, seen.secrets], [['the-event', 'the-event'], 1, ['secret']]);
  await sender[Symbol.asyncDispose]();
  assert.equal(seen.closed, 1);
});

const rows: readonly (readonly [code: ErrorCode, kind: string])[] = [
  ['SourceUnreachable', 'throttled'],
  ['SourceRefused', 'failed'],
  ['SourceMissing', 'failed'],
  ['RequestTooLarge', 'refused'],
];
for (const [code, kind] of rows)
  test(`${code}: ${kind}`, async (t) => {
    const { sender } = senderOf(t, () => {
      throw new SwiftletError(code, 'why');
    });
    const outcome = await sender.deliver(delivery, never);
    assert.deepEqual([outcome.kind, 'error' in outcome ? outcome.error.code : ''], [kind, code]);
  });

test('after a failure another connection is opened', async (t) => {
  let times = 0;
  const { sender, seen } = senderOf(t, () => {
    times += 1;
    if (times === 1) throw new SwiftletError('SourceUnreachable', 'gone');
  });
  await sender.deliver(delivery, never);
  assert.equal((await sender.deliver(delivery, never)).kind, 'answered');
  assert.deepEqual([seen.opened, seen.closed], [2, 1]);
});

test('a secret that is not there any more is said without its value', async (t) => {
  const { sender } = senderOf(t, () => undefined, { kind: 'none' });
  const outcome = await sender.deliver(delivery, never);
  assert.ok(outcome.kind === 'failed' && outcome.error.code === 'SourceInvalid' && outcome.error.message.includes('PASSWORD'));
});

test('a secret that control has not told yet is waited for', async (t) => {
  const { sender } = senderOf(t, () => undefined, { kind: 'awaited', secret: 'nats-password' });
  const outcome = await sender.deliver(delivery, never);
  assert.ok(outcome.kind === 'throttled' && /"nats-password".*not here yet/.test(outcome.error.message));
});
