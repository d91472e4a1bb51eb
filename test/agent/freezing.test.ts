/** Real sandboxes that are frozen: they take no processor time, go on where they were, and end whoever ends them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { processesOfSlots, removeRemains } from '../../src/agent/sandbox/remains.ts';
import type { Sandbox } from '../../src/agent/sandbox/sandbox.ts';
import { eventually } from '../e2e/functions.ts';
import { openUnderTest } from './driver-under-test.ts';

const kind = { runtime: 'nodejs26', memoryMiB: 128 } as const;
const spins = 'setInterval(() => { const end = Date.now() + 8; while (Date.now() < end); }, 1); export const handler = () => 1;';
const dedication = {
  runtime: 'nodejs26',
  function: 'frozen',
  version: 1,
  instanceId: 'frozen',
  handler: 'index.handler',
  environment: {},
  memoryMiB: 128,
  timeoutMs: 1_000,
  initTimeoutMs: 10_000,
  concurrency: 1,
};

function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-freezing-'));
  const under = openUnderTest({ isolation: 'bubblewrap', launched: true }, folder);
  t.after(async () => {
    await under[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const left = () => [processesOfSlots(under.traces).length, under.traces.cgroups?.names().length];
  return { ...under, folder, left };
}

/** Boots a sandbox whose code never rests. */
async function busy({ sandboxes, folder }: ReturnType<typeof open>): Promise<Sandbox> {
  const sandbox = await sandboxes().boot(kind);
  const code = join(folder, 'code');
  mkdirSync(code);
  writeFileSync(join(code, 'index.mjs'), spins);
  sandbox.connection.dedicate(dedication);
  assert.equal((await sandbox.connection.load(await sandbox.attach(code))).kind, 'initialised');
  return sandbox;
}

/** Clock ticks that a process has run for. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

const runtimeOf = ({ traces }: ReturnType<typeof open>): number => Math.max(...processesOfSlots(traces).map(({ pid }) => pid));

test('a frozen sandbox takes no processor time at all, and goes on when it is thawed', async (t) => {
  const under = open(t);
  const sandbox = await busy(under);
  const runtime = runtimeOf(under);
  sandbox.freeze();
  await pause(50);
  const before = ticksOf(runtime);
  await pause(300);
  assert.equal(ticksOf(runtime), before);
  sandbox.thaw();
  await sandbox.connection.rest();
  await eventually(
    () => ticksOf(runtime),
    (ticks) => ticks > before,
  );
  sandbox.kill();
  await sandbox.ended;
});

test('a frozen sandbox can be ended, and leaves nothing', async (t) => {
  const under = open(t);
  const sandbox = await busy(under);
  sandbox.freeze();
  sandbox.kill();
  await sandbox.ended;
  assert.deepEqual(under.left(), [0, 0]);
});

test('frozen ones that nobody knows any more are found and ended', async (t) => {
  const under = open(t);
  const sandbox = await busy(under);
  sandbox.freeze();
  await removeRemains(under.traces, new Set());
  assert.deepEqual(under.left(), [0, 0]);
  await sandbox.ended;
});
