/** Real sandboxes whose memory goes to swap that is made for them, and comes back; and that swap itself. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeSwap, removeSwap, type SwapOrder } from '../../src/agent/linux/own-swap.ts';
import { pageInProcess } from '../../src/agent/linux/page-out.ts';
import { residentPages } from '../../src/agent/linux/resident-pages.ts';
import { memoryPerSwappedByte, readSwapAreas } from '../../src/agent/linux/swap-areas.ts';
import { childrenOf } from '../../src/agent/sandbox/remains.ts';
import type { Sandbox } from '../../src/agent/sandbox/sandbox.ts';
import { eventually } from '../e2e/functions.ts';
import { needsSwap } from '../e2e/needs.ts';
import { type DriverUnderTest, openUnderTest } from './driver-under-test.ts';

const mebibyte = 1024 * 1024;
const kind = { runtime: 'nodejs26', memoryMiB: 128 } as const;
const holds = `const kept = Array.from({ length: 200_000 }, (_, at) => ({ at, text: String(at) }));
  globalThis.dropped = Array.from({ length: 100_000 }, (_, at) => ({ at, text: String(at) }));
  delete globalThis.dropped;
  export const handler = () => kept.length;`;
const dedication = {
  runtime: 'nodejs26',
  function: 'hibernated',
  version: 1,
  instanceId: 'hibernated',
  handler: 'index.handler',
  environment: {},
  memoryMiB: 128,
  timeoutMs: 1_000,
  initTimeoutMs: 10_000,
  concurrency: 1,
};

const sumOf = (ranges: readonly { readonly bytes: bigint }[]): number => ranges.reduce((sum, { bytes }) => sum + Number(bytes), 0);

const folder = mkdtempSync(join(tmpdir(), 'swiftlet-hibernating-'));
const order = (way: SwapOrder['kind'], sizeBytes = 256 * mebibyte): SwapOrder => ({
  kind: way,
  sizeBytes,
  file: join(folder, 'agent', 'swap'),
  record: join(folder, 'swap.path'),
});
let under: DriverUnderTest;
let sandbox: Sandbox;
before(async () => {
  if (needsSwap !== false) return;
  under = openUnderTest({ isolation: 'bubblewrap', launched: true }, folder);
  sandbox = await under.sandboxes().boot(kind);
  const code = join(folder, 'code');
  mkdirSync(code);
  writeFileSync(join(code, 'index.mjs'), holds);
  sandbox.connection.dedicate(dedication);
  assert.equal((await sandbox.connection.load(await sandbox.attach(code))).kind, 'initialised');
});
after(async () => {
  if (needsSwap === false) await under[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test('what is garbage is given back by one that is to rest for long, and is not moved', { skip: needsSwap }, async () => {
  await sandbox.connection.rest();
  const had = sandbox.memory();
  await sandbox.connection.rest(true);
  const has = sandbox.memory();
  assert.ok(has.privateBytes <= had.privateBytes - 4 * mebibyte, `${had.privateBytes} bytes before, ${has.privateBytes} after`);
});

for (const way of ['zram', 'file'] as const) {
  test(`what only a frozen sandbox has goes to swap (${way}), and it goes on where it was`, { skip: needsSwap }, async () => {
    const path = await makeSwap(order(way));
    await sandbox.connection.rest();
    const ready = sandbox.memory();
    assert.ok(ready.privateBytes > 15 * mebibyte, `${ready.privateBytes} bytes`);
    sandbox.freeze();
    await sandbox.hibernate();
    const { privateBytes, swappedBytes } = sandbox.memory();
    assert.ok(privateBytes <= ready.privateBytes / 20, `${privateBytes} of ${ready.privateBytes} bytes are left`);
    assert.ok(swappedBytes >= ready.privateBytes / 2, `${swappedBytes} of ${ready.privateBytes} bytes are in swap`);
    const perByte = memoryPerSwappedByte(readSwapAreas().filter((area) => area.path === path));
    assert.ok(way === 'zram' ? perByte > 0 && perByte < 0.5 : perByte === 0, `${perByte} bytes of memory for each`);
    sandbox.thaw();
    await sandbox.connection.rest();
    removeSwap(order(way).record);
    assert.ok(readSwapAreas().every((area) => area.path !== path));
    assert.equal(existsSync(path), false);
    assert.deepEqual(sandbox.memory().swappedBytes, 0);
  });
}

test('what it will need is read back while it still stands', { skip: needsSwap }, async () => {
  await makeSwap(order('file'));
  await sandbox.connection.rest();
  const [pid = 0] = childrenOf(sandbox.pid);
  const needed = await residentPages(pid);
  assert.ok(sumOf(needed) > 5 * mebibyte, `${sumOf(needed)} bytes`);
  sandbox.freeze();
  await sandbox.hibernate();
  const left = sumOf(await residentPages(pid));
  assert.ok(left < sumOf(needed) / 4, `${left} of ${sumOf(needed)} bytes are left`);
  const out = sandbox.memory().swapCachedBytes;
  await pageInProcess(pid, needed);
  await eventually(
    () => sandbox.memory().swapCachedBytes,
    (bytes) => bytes > out + 2 * mebibyte,
  );
  sandbox.thaw();
  await sandbox.connection.rest();
  // It has woken once: what it touched is known, and moves again.
  sandbox.freeze();
  await sandbox.hibernate();
  sandbox.thaw();
  await sandbox.connection.rest();
  removeSwap(order('file').record);
});

test('one that is thawed while its memory moves goes on at once', { skip: needsSwap }, async () => {
  await makeSwap(order('auto'));
  sandbox.freeze();
  const moved = sandbox.hibernate();
  sandbox.thaw();
  await sandbox.connection.rest();
  await moved;
  removeSwap(order('auto').record);
});

test('swap that is there is used again if it is what is asked for, and replaced if not; whoever comes later takes it away', {
  skip: needsSwap,
}, async () => {
  const first = await makeSwap(order('file', 16 * mebibyte));
  assert.equal(await makeSwap(order('auto', 16 * mebibyte)), first);
  const second = await makeSwap(order('file', 32 * mebibyte));
  assert.deepEqual(
    readSwapAreas().flatMap(({ path, sizeBytes }) => (path === second ? [Math.round(sizeBytes / mebibyte)] : [])),
    [32],
  );
  // As after a kill between writing down and using.
  const { record } = order('file');
  removeSwap(record);
  writeFileSync(record, join(folder, 'agent', 'swap'));
  removeSwap(record);
  assert.equal(existsSync(record), false);
});

test('swap that cannot be made says why, and leaves nothing', { skip: needsSwap }, async () => {
  const file = '/proc/swap';
  await assert.rejects(makeSwap({ ...order('file'), file }), /^Error: file: /);
  assert.equal(existsSync(order('file').record), false);
});
