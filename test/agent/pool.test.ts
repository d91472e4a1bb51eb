import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Pool } from '../../src/agent/pool.ts';
import type { Sandbox } from '../../src/agent/sandbox/sandbox.ts';

const few = { bootsAtOnce: 1, waitedBootsAtOnce: 4, areStarting: () => false, now: () => 0 };
const kind = { runtime: 'nodejs26', memoryMiB: 128 } as const;

/** A sandbox of which only its life matters here. */
function fakeSandbox(): { sandbox: Sandbox; ended: Promise<string> } {
  const { promise, resolve } = Promise.withResolvers<string>();
  // The pool uses no more of it than this.
  return { sandbox: { kind, kill: () => resolve('ended'), ended: promise } as unknown as Sandbox, ended: promise };
}

test('a sandbox that boots while its pool becomes smaller is ended, not kept', async () => {
  const { sandbox, ended } = fakeSandbox();
  const boot = Promise.withResolvers<Sandbox>();
  const pool = new Pool(kind, { boot: () => boot.promise, room: () => 10, ...few });
  pool.resize(1);
  assert.equal(pool.booting, 1);
  pool.resize(0);
  boot.resolve(sandbox);
  assert.equal(await ended, 'ended');
  assert.equal(pool.ready, 0);
  await pool.close();
});

test('who waits gets what boots, however small the pool is', async () => {
  const { sandbox } = fakeSandbox();
  const pool = new Pool(kind, { boot: () => Promise.resolve(sandbox), room: () => 10, ...few });
  assert.equal(await pool.take('default', 'one'), sandbox);
  await pool.close();
});

test('one who starts many does not keep another tenant from his first', async () => {
  const boots: ((sandbox: Sandbox) => void)[] = [];
  const boot = () => new Promise<Sandbox>((resolve) => boots.push(resolve));
  const pool = new Pool(kind, { boot, room: () => 10, ...few });
  const order: string[] = [];
  const takes = ['a', 'a', 'a', 'b'].map((tenant) => pool.take(tenant, tenant).then(() => order.push(tenant)));
  for (const resolve of boots) resolve(fakeSandbox().sandbox);
  await Promise.all(takes);
  assert.deepEqual(order, ['a', 'b', 'a', 'a']);
  await pool.close();
});

test('of many who wait a few boot at a time; who is withdrawn before his turn boots nothing', async () => {
  const boots: ((sandbox: Sandbox) => void)[] = [];
  const boot = () => new Promise<Sandbox>((resolve) => boots.push(resolve));
  const pool = new Pool(kind, { boot, room: () => 100, ...few });
  const takes = Array.from({ length: 10 }, (_, at) => pool.take('default', String(at)));
  assert.equal(pool.booting, 4);
  for (let at = 5; at < 10; at++) pool.withdraw(String(at));
  for (const withdrawn of takes.slice(5)) await assert.rejects(withdrawn, { code: 'Unavailable' });
  for (let at = 0; at < 5; at++) {
    boots[at]?.(fakeSandbox().sandbox);
    await takes[at];
  }
  assert.equal(boots.length, 5);
  pool.withdraw('0');
  await pool.close();
});

/** A pool of four from which all are taken, on a clock that is moved by hand. */
async function emptied(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const host = { now: 0, areStarting: false, boots: 0 };
  const boot = () => {
    host.boots += 1;
    return Promise.resolve(fakeSandbox().sandbox);
  };
  const pool = new Pool(kind, {
    boot,
    room: () => 10,
    bootsAtOnce: 4,
    waitedBootsAtOnce: 8,
    areStarting: () => host.areStarting,
    now: () => host.now,
  });
  pool.resize(4);
  while (pool.ready < 4) await Promise.resolve();
  host.areStarting = true;
  for (const id of ['a', 'b', 'c', 'd']) await pool.take('default', id);
  const pass = (ms: number) => {
    host.now += ms;
    t.mock.timers.tick(ms);
  };
  return { host, pool, pass };
}

test('starts go before the refill, which begins when none is under way any more', async (t) => {
  const { host, pool, pass } = await emptied(t);
  for (let ms = 0; ms < 500; ms += 5) pass(5);
  assert.equal(host.boots, 4);
  host.areStarting = false;
  pass(5);
  assert.equal(host.boots, 8);
  await pool.close();
});

test('a burst that does not end is refilled for', async (t) => {
  const { host, pool, pass } = await emptied(t);
  for (let ms = 0; ms <= 1_010; ms += 5) pass(5);
  assert.equal(host.boots, 8);
  await pool.close();
});

test('who waits does not wait for the end of a burst', async (t) => {
  const { host, pool } = await emptied(t);
  await pool.take('default', 'e');
  assert.equal(host.boots > 4, true);
  await pool.close();
});
