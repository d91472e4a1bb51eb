import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pool } from '../../src/agent/pool.ts';
import type { Sandbox } from '../../src/agent/sandbox/sandbox.ts';

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
  const pool = new Pool(kind, { boot: () => boot.promise, room: () => 10, bootsAtOnce: 1 });
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
  const pool = new Pool(kind, { boot: () => Promise.resolve(sandbox), room: () => 10, bootsAtOnce: 1 });
  assert.equal(await pool.take(), sandbox);
  await pool.close();
});
