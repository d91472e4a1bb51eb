/** Functions that are kept warm are called when it is time. The clock is the test's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from '../../src/events/deliver.ts';
import { WarmKeeper } from '../../src/events/warm-keeper.ts';
import type { ConfigInput } from '../../bench/control-api.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';
import type { CallerRequest } from '../../src/wire/event-calls.ts';
import { eventually } from '../e2e/functions.ts';

const startMs = Date.parse('2026-01-01T08:00:30Z');
const second = 1_000;

const functionsWith = (configs: Record<string, ConfigInput>): Map<string, Version> =>
  new Map(
    Object.entries(configs).map(([name, config]) => [
      `default/${name}`,
      {
        tenant: 'default',
        function: name,
        number: 1,
        digest: 'a'.repeat(64),
        size: 1,
        config: functionConfigSchema.parse(config),
        createdAt: '2026-01-01T00:00:00.000Z',
      },
    ]),
  );

function open(configs: Record<string, ConfigInput>) {
  const under = {
    functions: functionsWith(configs),
    nowMs: startMs,
    looks: 0,
    called: [] as Delivery<CallerRequest>[],
    endings: [] as (() => void)[],
  };
  const keeper = new WarmKeeper({
    deliver: (delivery) => {
      under.called.push(delivery);
      return new Promise((resolve) => under.endings.push(() => resolve({ kind: 'succeeded', result: undefined } as never)));
    },
    functions: () => under.functions,
    limitMs: () => 1_000,
    newId: () => 'id',
    now: () => {
      under.looks += 1;
      return under.nowMs;
    },
  });
  const look = async () => {
    const before = under.looks;
    keeper.wake();
    await eventually(
      () => under.looks,
      (looks) => looks >= before + 2,
    );
  };
  const names = () => under.called.splice(0).map((delivery) => delivery.function);
  const end = () => {
    for (const ending of under.endings.splice(0)) ending();
  };
  return Object.assign(under, { keeper, look, names, end, [Symbol.asyncDispose]: () => (end(), keeper[Symbol.asyncDispose]()) });
}

const every = (seconds: number, more: object = {}): ConfigInput => ({
  keepWarm: { kind: 'rate', everyMs: seconds * second, ...more },
  idleMs: 3_600_000,
});

test('a function is called at its rate, once at a time, and goes on over a deploy that changes nothing of it', async () => {
  await using under = open({ often: every(10), never: {} });
  await under.look();
  assert.deepEqual(under.names(), [], 'not before its time');
  under.nowMs += 10 * second;
  await under.look();
  assert.deepEqual(under.names(), ['often']);
  under.nowMs += 10 * second;
  await under.look();
  assert.deepEqual(under.names(), [], 'the one before has no answer yet');
  under.end();
  await eventually(
    () => under.called.length,
    (count) => count === 1,
  );
  assert.deepEqual(under.names(), ['often'], 'and is followed at once');
  under.end();
  under.nowMs += 9 * second;
  under.functions = functionsWith({ often: { ...every(10), memoryMiB: 256 } });
  await under.look();
  assert.deepEqual(under.names(), []);
  under.nowMs += 1 * second;
  await under.look();
  assert.deepEqual(under.names(), ['often']);
});

test('a cron has its own zone; of many at once eight are called, and the others when these have ended', async () => {
  const cron = { keepWarm: { kind: 'cron', expression: '1 9 * * *', timeZone: 'Europe/Berlin' } } satisfies ConfigInput;
  await using under = open(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, cron])));
  await under.look();
  assert.deepEqual(under.names(), []);
  under.nowMs = Date.parse('2026-01-01T08:01:00Z');
  await under.look();
  assert.equal(under.names().length, 8);
  under.end();
  await eventually(
    () => under.called.length,
    (count) => count === 8,
  );
  under.names();
  under.end();
  await eventually(
    () => under.called.length,
    (count) => count === 4,
  );
});

test('code can tell what it is called for; the runtime is told to answer, unless the handler wants to', async () => {
  await using under = open({ plain: every(10), own: every(10, { callsHandler: true }), cloud: { ...every(10), events: 'cloudevents' } });
  await under.look();
  under.nowMs += 10 * second;
  await under.look();
  const told = under.called.map(({ function: name, request, body }) => {
    const { source, type } = JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>;
    return { name, headers: request.headers, source, type };
  });
  assert.deepEqual(told, [
    { name: 'plain', headers: ['x-swiftlet-warm-up', 'yes'], source: 'swiftlet.keep-warm', type: undefined },
    { name: 'own', headers: [], source: 'swiftlet.keep-warm', type: undefined },
    { name: 'cloud', headers: ['x-swiftlet-warm-up', 'yes'], source: '/functions/cloud', type: 'swiftlet.keep-warm' },
  ]);
});

const wrong: readonly (readonly [config: ConfigInput, says: RegExp])[] = [
  [{ ...every(10), process: 'one-shot' }, /one-shot instance serves a single request.*"minimum"/],
  [{ ...every(60), idleMs: 60_000 }, /every 60000 ms is too seldom.*raise "idle"/],
];
for (const [config, says] of wrong)
  test(`it is refused: ${String(says)}`, () => {
    const [issue] = functionConfigSchema.safeParse(config).error?.issues ?? [];
    assert.match(issue?.message ?? '', says);
    assert.deepEqual(issue?.path, ['keepWarm']);
  });
