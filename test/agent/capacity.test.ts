/** What an agent tells of its instances, and what it does with what it is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityOf } from '../../src/agent/capacity.ts';
import type { Instance } from '../../src/agent/instance.ts';
import { processorMs } from '../../src/agent/linux/processor-time.ts';
import { Targets } from '../../src/agent/targets.ts';
import { scaleSchema } from '../../src/model/scale.ts';
import { version as plain } from '../gateway/starting-instance.ts';

const names = { tenant: plain.tenant, function: plain.function, number: plain.number };
const mebibyte = 1024 * 1024;

const instance = (kind: string, thresholds: object): Instance =>
  ({
    version: { ...plain, config: { ...plain.config, memoryMiB: 128, scale: scaleSchema.parse({ thresholds }) } },
    sandbox: { cpuMs: () => 40, memoryBytes: () => 64 * mebibyte },
    state: { kind },
  }) as unknown as Instance;

test('instances that are there or start are counted; what no signal needs is not read', () => {
  const there = [instance('idle', {}), instance('frozen', {}), instance('ending', {})];
  assert.deepEqual(capacityOf(there, [plain]), [{ ...names, running: 3, cpuMs: 0, memory: 0 }]);
  const measured = [instance('leased', { cpu: 50, memory: 50 }), instance('idle', { cpu: 50, memory: 50 })];
  assert.deepEqual(capacityOf(measured, []), [{ ...names, running: 2, cpuMs: 80, memory: 1 }]);
});

test('processor time of a process grows as it works; one that is gone has none', () => {
  const before = processorMs([process.pid]);
  for (const until = process.cpuUsage().user + 60_000; process.cpuUsage().user < until; );
  assert.ok(processorMs([process.pid]) - before >= 30);
  assert.equal(processorMs([2 ** 30]), 0);
});

test('what control wants lapses, and a version that it says nothing of is as it was', () => {
  let now = 0;
  const targets = new Targets(() => now);
  const target = { ...names, target: 3, minimum: 0, maximum: 9 };
  targets.take([target], 10_000);
  now = 9_999;
  assert.deepEqual([targets.of(plain), targets.of({ ...plain, number: 2 }), [...targets.all]], [target, undefined, [target]]);
  now = 10_000;
  assert.deepEqual([targets.of(plain), [...targets.all]], [undefined, []]);
});
