/** Sandboxes that belong to nobody after a kill -9: what an agent had made and not yet written down. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cgroupsOf } from '../../bench/holdings.ts';
import { processTree, sandboxTree } from '../../bench/processes.ts';
import { readRecords } from '../../src/agent/slot-record.ts';
import { runFolder } from '../../src/role/home.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsMemoryLimit } from './needs.ts';
import { roleOf } from './role-processes.ts';

const poolSize = 4;
const goneWithinMs = 5_000;
let e2e: E2e;
let slots: string;
before(async () => {
  e2e = await openE2e({ poolSize });
  slots = join(runFolder(e2e.platform.home, process.env), 'agent', 'slots');
  await e2e.publish('born', 'const born = Math.random(); export const handler = () => born;');
  await e2e.publish('unknown', 'export const handler = () => 1;');
});
after(() => e2e[Symbol.asyncDispose]());

const recorded = () => [...readRecords(slots)].flatMap(([slot, record]) => (record === undefined ? [] : [{ slot, ...record }]));
/** The full pool and these instances: nothing boots that would have no record yet. */
const settled = (instances: number) =>
  eventually(recorded, (records) => records.length === readdirSync(slots).length && records.length === poolSize + instances, 10_000);

const isAlive = (pid: number) => /^State:\s+[^Z]/m.test(statusOf(pid));
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

async function killed(pid: number, look: () => number | undefined): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await eventually(look, (now) => now !== undefined && now !== pid);
}

const agent = (): number | undefined => {
  try {
    return roleOf(e2e.platform.pid, 'agent');
  } catch {
    // Between two of them.
    return undefined;
  }
};
const launcher = (): number | undefined => processTree(agent() ?? 0).find(({ title }) => title === 'swiftlet launcher')?.pid;

test('sandboxes that no record tells of are gone within 5 s of the agent’s return, and those with one live on', async () => {
  const { text: born } = await e2e.call('/born/');
  await e2e.call('/unknown/');
  const records = await settled(2);
  const cgroups = cgroupsOf(e2e.platform.home);
  const warm = records.find(({ instance }) => instance === undefined);
  const instance = records.find((record) => record.instance?.version.function === 'unknown');
  assert.ok(warm !== undefined && instance !== undefined);
  const pids = [warm, instance].flatMap(({ booted }) => sandboxTree(booted.inner).map(({ pid }) => pid));
  assert.ok(pids.length >= 4 && pids.every(isAlive), JSON.stringify(pids));
  // As if the agent had been killed before it wrote the one, and in the middle of the other.
  rmSync(join(slots, String(warm.slot), 'record.jsonl'));
  truncateSync(join(slots, String(instance.slot), 'record.jsonl'), 10);
  await killed(agent() ?? 0, agent);
  await eventually(
    () => pids.filter(isAlive),
    (alive) => alive.length === 0,
    goneWithinMs,
  );
  const after = await settled(1);
  assert.ok(after.every(({ booted }) => !pids.includes(booted.inner)));
  // One cgroup a controller went with the instance that nobody knew; the warm one has a successor.
  if (needsMemoryLimit === false)
    await eventually(
      () => cgroupsOf(e2e.platform.home),
      (count) => count < cgroups,
    );
  assert.equal((await e2e.call('/born/')).text, born);
  assert.equal((await e2e.call('/unknown/')).headers.get('x-swiftlet-start'), 'cold');
});

test('a killed launcher: warm sandboxes live on, and what was booting is gone within 5 s of the agent’s return', async () => {
  const { text: born } = await e2e.call('/born/');
  await settled(2);
  // The pool refills: its sandboxes have processes and no record for a moment.
  for (const { booted, instance } of recorded()) if (instance === undefined) process.kill(booted.inner, 'SIGKILL');
  const unwritten = () => [...readRecords(slots)].filter(([, record]) => record === undefined).map(([slot]) => slot);
  await eventually(unwritten, ({ length }) => length > 0);
  const before = agent();
  await killed(launcher() ?? 0, launcher);
  assert.notEqual(agent(), before, 'the agent goes with its launcher');
  const records = await settled(2);
  const known = new Set(records.flatMap(({ booted }) => [booted.outer, ...sandboxTree(booted.inner).map(({ pid }) => pid)]));
  const strangers = () =>
    processTree(e2e.platform.pid).filter(
      ({ pid, title }) => title !== '' && !title.startsWith('swiftlet') && pid !== e2e.platform.pid && !known.has(pid) && isAlive(pid),
    );
  await eventually(strangers, ({ length }) => length === 0, goneWithinMs);
  assert.equal((await e2e.call('/born/')).text, born);
});
