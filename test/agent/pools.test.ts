import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pools } from '../../src/agent/pools.ts';
import { preload } from '../../src/agent/preload.ts';
import { burstPauseMs } from '../../src/agent/refill-turn.ts';
import type { Sandbox } from '../../src/agent/sandbox/sandbox.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';

const kind = { runtime: 'nodejs26', memoryMiB: 128 } as const;
const versionOf = (name: string): Version => ({
  tenant: 'default',
  function: name,
  number: 1,
  digest: '0'.repeat(64),
  size: 0,
  config: functionConfigSchema.parse({}),
  createdAt: new Date(0).toISOString(),
});

test('what is warm is prepared for what was taken, and taken for that', async () => {
  const preparedFor = new Map<Sandbox, string>();
  const booted = { count: 0, next: Promise.withResolvers<undefined>() };
  const pools = new Pools(
    {
      sandboxes: {
        room: 10,
        boot: () => {
          const { promise, resolve } = Promise.withResolvers<undefined>();
          // The pools use no more of it than this.
          return Promise.resolve({ kind, kill: resolve, ended: promise } as unknown as Sandbox);
        },
      },
      range: { minimum: 2, maximum: 2 },
      budgetBytes: Infinity,
      now: () => performance.now(),
      bootsAtOnce: 1,
      waitedBootsAtOnce: 8,
      areStarting: () => false,
      prepare: (sandbox, like) => {
        preparedFor.set(sandbox, like?.function ?? 'any');
        booted.count += 1;
        booted.next.resolve(undefined);
      },
      preload: () => Promise.resolve([]),
      suits: (sandbox, version) => preparedFor.get(sandbox) === version.function,
      endOldestIdle: () => Promise.resolve(),
    },
    kind,
  );
  const untilBooted = async (count: number) => {
    while (booted.count < count || [...pools.all].some(({ ready }) => ready < 2)) {
      booted.next = Promise.withResolvers<undefined>();
      await Promise.race([booted.next.promise, new Promise((resolve) => setImmediate(resolve))]);
    }
  };
  const take = async (name: string) => preparedFor.get(await pools.take(versionOf(name), name));
  await untilBooted(2);
  assert.equal(await take('one'), 'any', 'nothing suits yet');
  await untilBooted(3);
  assert.equal(await take('other'), 'any', 'the oldest, and not what suits another one');
  await untilBooted(4);
  assert.equal(await take('other'), 'other');
  await untilBooted(5);
  assert.equal(await take('one'), 'one');
  await pools.close();
});

test('a burst enlarges a pool, silence shrinks it, and all of them stay within their memory', async () => {
  const clock = { now: 0 };
  const alive = new Set<object>();
  const mebibyte = 1024 * 1024;
  const pools = new Pools(
    {
      sandboxes: {
        room: 100,
        boot: () => {
          const { promise, resolve } = Promise.withResolvers<undefined>();
          const sandbox = { kind, ended: promise, memoryBytes: () => 11 * mebibyte };
          alive.add(sandbox);
          const kill = () => {
            alive.delete(sandbox);
            resolve(undefined);
          };
          return Promise.resolve(Object.assign(sandbox, { kill }) as unknown as Sandbox);
        },
      },
      range: { minimum: 2, maximum: 50 },
      budgetBytes: 120 * mebibyte,
      now: () => clock.now,
      bootsAtOnce: 1,
      waitedBootsAtOnce: 8,
      areStarting: () => false,
      prepare: () => undefined,
      preload: () => Promise.resolve([]),
      suits: () => true,
      endOldestIdle: () => Promise.resolve(),
    },
    kind,
  );
  const [pool] = pools.all;
  const settled = async () => {
    for (let turns = 0; turns < 1_000 && (pool?.ready !== pool?.target || pool?.booting !== 0); turns++)
      await new Promise((resolve) => setImmediate(resolve));
    return pool?.ready;
  };
  // Before, starts go first.
  const afterBurst = () => (clock.now += burstPauseMs);
  assert.equal(await settled(), 2);
  // As the agent does some times a second.
  pools.look();
  const took = await Promise.all(Array.from({ length: 7 }, (_, at) => pools.take(versionOf('busy'), String(at))));
  afterBurst();
  pools.look();
  assert.equal(await settled(), 7);
  took.push(...(await Promise.all(Array.from({ length: 40 }, (_, at) => pools.take(versionOf('busy'), `more-${at}`)))));
  afterBurst();
  pools.look();
  assert.equal(await settled(), 10, 'twelve MiB each, of 120');
  clock.now += 2 * 60_000;
  pools.look();
  assert.equal(await settled(), 10, 'a quarter of 47 is more than there is room for');
  clock.now += 10 * 60_000;
  pools.look();
  assert.equal(await settled(), 2);
  assert.equal(alive.size - took.length, 2, 'what was too many has ended');
  await pools.close();
});

test('imports of a custom pool that never end are ended with their sandbox, and it is said', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<{ tail: string }>();
  const gone = Promise.withResolvers<never>();
  const sandbox = {
    connection: {
      preload: () => {
        asked.resolve(undefined);
        return gone.promise;
      },
    },
    ended: ended.promise,
    kill: () => {
      ended.resolve({ tail: '' });
      gone.reject(new Error('the connection broke off'));
    },
    // What is imported uses no more of it than this.
  } as unknown as Sandbox;
  const means = { placeLayers: () => Promise.resolve(undefined), layersInside: (folder: string) => folder, canFreeze: true };
  const custom = {
    name: 'endless',
    tenant: 'default',
    key: 'k',
    memoryMiB: 128,
    layerDigests: [],
    preload: ['endless'],
    minimum: 1,
    maximum: 1,
  };
  const importing = preload(means, sandbox, custom);
  await asked.promise;
  t.mock.timers.tick(60_000);
  await assert.rejects(importing, { code: 'InitError', message: /"endless" could not import what it preloads: it took over 60 s/ });
});
