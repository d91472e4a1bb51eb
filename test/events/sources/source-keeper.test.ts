/** Which sources are consumed: as the functions declare them, and as an operator said. The store is real, the sources are the test's. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { DeclaredSource } from '../../../src/events/sources/declared-sources.ts';
import { Places } from '../../../src/events/sources/places.ts';
import type { Source, SourceMeans } from '../../../src/events/sources/source.ts';
import { SourceKeeper } from '../../../src/events/sources/source-keeper.ts';
import { SqliteSourceStore } from '../../../src/events/sources/sqlite-source-store.ts';
import { Variables } from '../../../src/wire/variables.ts';
import { SwiftletError } from '../../../src/model/errors.ts';
import { functionConfigSchema, type Version } from '../../../src/model/function.ts';
import { tempFolder } from '../../control/temp-folder.ts';
import { eventually } from '../../e2e/functions.ts';

const origin = { kind: 'jetstream', servers: ['nats://broker:4222'], stream: 'ORDERS', passwordVariable: 'PASSWORD' };

const functionsWith = (sources: Record<string, object>, password = 'one', timeoutMs = 1_000): Map<string, Version> =>
  functionsOf(sources, { environment: { PASSWORD: password } }, timeoutMs);

function functionsOf(sources: Record<string, object>, having: object, timeoutMs = 1_000): Map<string, Version> {
  const made = Object.entries(sources).map(([name, change]) => [name, { origin, ...change }] as const);
  const config = functionConfigSchema.parse({ ...having, timeoutMs, sources: Object.fromEntries(made) });
  const version = {
    tenant: 'default',
    function: 'orders',
    number: 1,
    digest: 'a'.repeat(64),
    size: 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    config,
  };
  return new Map([['default/orders', version]]);
}

interface Under {
  readonly keeper: SourceKeeper;
  /** What happened, in its order: `open incoming`, `close incoming`. */
  readonly happened: string[];
  readonly means: SourceMeans[];
  readonly followed: string[][];
  readonly variables: Variables;
}

async function keep(t: TestContext, path = join(tempFolder(t), 'sources.sqlite')): Promise<Under> {
  const happened: string[] = [];
  const means: SourceMeans[] = [];
  const followed: string[][] = [];
  const store = new SqliteSourceStore(path);
  const variables = new Variables();
  const open = ({ ref }: DeclaredSource): Source => {
    happened.push(`open ${ref.source}`);
    return {
      dropped: 0,
      next: (_wanted, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve([]))),
      acknowledge: () => Promise.resolve(),
      giveBack: () => Promise.resolve(),
      lag: () => Promise.resolve(7),
      [Symbol.asyncDispose]: () => Promise.resolve(void happened.push(`close ${ref.source}`)),
    };
  };
  const keeper = await SourceKeeper.open({
    store,
    deliver: () => Promise.reject(new Error('nothing comes')),
    limits: () => ({ isServed: true, deliveryMs: 1_000 }),
    deadLetter: () => Promise.resolve(),
    places: new Places(1),
    now: () => Date.now(),
    chance: Math.random,
    counted: () => undefined,
    followed: (keys) => followed.push([...keys]),
    variableOf: (version, name) => variables.of(version, name),
    trouble: () => undefined,
    load: (declared, its) => {
      means.push(its);
      return Promise.resolve({
        keepsMessages: true,
        dataKey: undefined,
        open: () => Promise.resolve(open(declared)),
        eventOf: () => ({}),
      });
    },
  });
  t.after(async () => {
    await keeper.stop(AbortSignal.abort());
    store[Symbol.dispose]();
  });
  return { keeper, happened, means, followed, variables };
}

const ref = { tenant: 'default', function: 'orders', source: 'incoming' };
const until = (happened: readonly string[], ...wanted: string[]) =>
  eventually(
    () => happened,
    (now) => now.join() === wanted.join(),
  );

test('what is declared is consumed; what changed is opened anew, and nothing else', async (t) => {
  const { keeper, happened, means, followed } = await keep(t);
  keeper.follow(functionsWith({ incoming: {}, other: { batchSize: 5 } }));
  await until(happened, 'open incoming', 'open other');
  keeper.follow(functionsWith({ incoming: {}, other: { batchSize: 5 } }, 'one', 2_000));
  keeper.follow(functionsWith({ incoming: {}, other: { batchSize: 6 } }));
  await until(happened, 'open incoming', 'open other', 'close other', 'open other');
  keeper.follow(functionsWith({ other: { batchSize: 6 } }));
  await until(happened, 'open incoming', 'open other', 'close other', 'open other', 'close incoming');
  assert.deepEqual(followed.at(-1), ['default/orders/other']);
  assert.equal(means[0]?.consumer, 'swiftlet_default_orders_incoming');
});

test('a secret that changed is a change', async (t) => {
  const { keeper, happened, means } = await keep(t);
  keeper.follow(functionsWith({ incoming: {} }));
  await until(happened, 'open incoming');
  keeper.follow(functionsWith({ incoming: {} }, 'two'));
  await until(happened, 'open incoming', 'close incoming', 'open incoming');
  assert.deepEqual(
    means.map(({ secret }) => secret('PASSWORD')),
    ['one', 'two'],
  );
  assert.throws(
    () => means[0]?.secret('OTHER'),
    (error) => error instanceof SwiftletError && error.code === 'SourceInvalid',
  );
});

test('a secret that control tells, and one that was rotated, are changes', async (t) => {
  const { keeper, happened, means, variables } = await keep(t);
  const functions = functionsOf({ incoming: {} }, { secrets: { PASSWORD: { secret: 'broker' } } });
  keeper.follow(functions);
  await until(happened, 'open incoming');
  assert.throws(() => means[0]?.secret('PASSWORD'), { code: 'SourceInvalid', message: /secret "broker".*not here yet/ });
  const tell = (version: number, value: string) => {
    variables.take({ isFirst: version === 1, put: [{ tenant: 'default', name: 'broker', version, value }], drop: [] });
    keeper.follow(functions);
  };
  tell(1, 'the first value');
  await until(happened, 'open incoming', 'close incoming', 'open incoming');
  tell(2, 'the second value');
  await until(happened, 'open incoming', 'close incoming', 'open incoming', 'close incoming', 'open incoming');
  tell(2, 'the second value');
  assert.deepEqual(
    means.slice(1).map(({ secret }) => secret('PASSWORD')),
    ['the first value', 'the second value'],
  );
});

test('a pause outlives the process, and a deploy', async (t) => {
  const path = join(tempFolder(t), 'sources.sqlite');
  const first = await keep(t, path);
  first.keeper.follow(functionsWith({ incoming: {} }));
  await until(first.happened, 'open incoming');
  assert.equal((await first.keeper.pause(ref)).state, 'paused');
  await until(first.happened, 'open incoming', 'close incoming');
  first.keeper.follow(functionsWith({ incoming: { batchSize: 2 } }));

  const second = await keep(t, path);
  second.keeper.follow(functionsWith({ incoming: { batchSize: 2 } }));
  assert.deepEqual(
    (await second.keeper.views('default', 'orders')).map(({ state }) => state),
    ['paused'],
  );
  assert.deepEqual([first.happened.length, second.happened], [2, []]);
  await second.keeper.resume(ref);
  await until(second.happened, 'open incoming');
});

test('views say what there is to see, of one function or of all', async (t) => {
  const { keeper, happened } = await keep(t);
  keeper.follow(functionsWith({ incoming: {}, off: { enabled: false } }));
  await until(happened, 'open incoming');
  const views = await eventually(
    () => keeper.views('default', undefined),
    ([one]) => one?.lag === 7,
  );
  const common = { function: 'orders', kind: 'jetstream', held: 0, working: 0 };
  assert.deepEqual(views, [
    { ...common, name: 'incoming', state: 'running', lag: 7 },
    { ...common, name: 'off', state: 'disabled' },
  ]);
  assert.deepEqual(await keeper.views('default', 'other'), []);
  assert.deepEqual(await keeper.views('elsewhere', undefined), []);
});

test('there is nothing to pause that was not declared', async (t) => {
  const { keeper } = await keep(t);
  await assert.rejects(keeper.pause(ref), (error) => error instanceof SwiftletError && error.code === 'NotFound');
});

test('a stop closes all, and nothing is opened after it', async (t) => {
  const { keeper, happened } = await keep(t);
  keeper.follow(functionsWith({ incoming: {} }));
  await until(happened, 'open incoming');
  await keeper.stop(AbortSignal.abort());
  keeper.follow(functionsWith({ incoming: { batchSize: 3 } }));
  await until(happened, 'open incoming', 'close incoming');
});

test('how many messages wait is told by function: of all its sources that run, and of none that is paused', async (t) => {
  const { keeper, happened } = await keep(t);
  keeper.follow(functionsWith({ incoming: {}, other: {} }));
  await until(happened, 'open incoming', 'open other');
  const lagOf = async (name: string) => (await keeper.lags([{ tenant: 'default', function: name }]))[0]?.messages;
  assert.deepEqual([await lagOf('orders'), await lagOf('unknown')], [14, 0]);
  await keeper.pause(ref);
  await until(happened, 'open incoming', 'open other', 'close incoming');
  assert.equal(await lagOf('orders'), 7);
});
