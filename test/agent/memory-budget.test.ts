/** Which idle instances give their memory up when it is short: by cases, over scripted demand, and on instances that only pretend. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { type Resting, stepsOf, whoStepsDown } from '../../src/agent/demote.ts';
import type { Instance, InstanceState } from '../../src/agent/instance.ts';
import { breakEvenMs } from '../../src/agent/levels.ts';
import { MemoryBudget } from '../../src/agent/memory-budget.ts';
import { Uses } from '../../src/agent/uses.ts';
import { version as plain } from '../gateway/starting-instance.ts';

const mebibyte = 1024 * 1024;
const resting = (instance: string, some: Partial<Resting<string>> = {}): Resting<string> => ({
  instance,
  isHibernated: false,
  canHibernate: true,
  privateBytes: 20 * mebibyte,
  compressedBytes: 0,
  startMs: 100,
  backMsPerByte: 0.5 / mebibyte,
  compressedPerByte: 0,
  nextUseMs: 60_000,
  ...some,
});
const chosen = (all: readonly Resting<string>[], excessMiB: number) =>
  whoStepsDown(all.map(stepsOf), excessMiB * mebibyte).map(({ instance, to }) => `${instance} ${to}`);

test('first goes who is used latest, costs least to bring back, or has most memory', () => {
  const [soon, late] = [resting('soon', { nextUseMs: 1_000 }), resting('late', { nextUseMs: 100_000 })];
  assert.deepEqual(chosen([soon, late], 10), ['late hibernated']);
  assert.deepEqual(chosen([soon, late], 30), ['soon hibernated', 'late hibernated']);
  const [cheap, dear] = [resting('cheap', { canHibernate: false, startMs: 20 }), resting('dear', { canHibernate: false, startMs: 2_000 })];
  assert.deepEqual(chosen([dear, cheap], 1), ['cheap gone']);
  const [small, large] = [
    resting('small', { canHibernate: false, privateBytes: 5 * mebibyte }),
    resting('large', { canHibernate: false, privateBytes: 90 * mebibyte }),
  ];
  assert.deepEqual(chosen([small, large], 1), ['large gone']);
});

test('no more than it takes, and none when there is enough', () => {
  const all = Array.from({ length: 10 }, (_, at) => resting(String(at), { nextUseMs: 1_000 * (10 - at) }));
  assert.deepEqual(chosen(all, 0), []);
  assert.deepEqual(chosen(all, 41), ['0 hibernated', '1 hibernated', '2 hibernated']);
  assert.equal(chosen(all, 10_000).length, 10);
});

test('a hibernated one is ended before a ready one is moved only if its start is worth less than the memory it still has', () => {
  const left = { isHibernated: true, privateBytes: mebibyte, compressedBytes: 5 * mebibyte, compressedPerByte: 0.25 };
  const ready = resting('ready', { compressedPerByte: 0.25 });
  assert.deepEqual(chosen([resting('hibernated', left), ready], 1), ['ready hibernated']);
  assert.deepEqual(chosen([resting('hibernated', { ...left, startMs: 5, nextUseMs: 6_000_000 }), ready], 1), ['hibernated gone']);
});

test('on a host without swap they are ended', () => {
  assert.deepEqual(chosen([resting('a', { canHibernate: false })], 1), ['a gone']);
});

test('what takes as much room in swap as outside is not moved there, but ended', () => {
  assert.deepEqual(chosen([resting('noise', { compressedPerByte: 1 })], 1), ['noise gone']);
});

test('the next use is expected after the usual pause, and later the longer it does not come', () => {
  const uses = new Uses();
  assert.equal(uses.nextUseMs(plain, 0), 60_000, 'of one that nobody knows');
  for (const at of [0, 1_000, 2_000, 3_000]) uses.used(plain, at);
  assert.equal(uses.nextUseMs(plain, 3_500), 1_000);
  assert.equal(uses.nextUseMs(plain, 33_000), 30_000);
  uses.used(plain, 33_000);
  const later = uses.nextUseMs(plain, 33_000);
  assert.ok(later > 1_000 && later < 30_000, `${later} ms`);
  uses.started(plain, 200);
  assert.equal(uses.startMs(plain), 200);
  uses.keepOnly([]);
  assert.deepEqual([uses.nextUseMs(plain, 33_000), uses.startMs(plain)], [60_000, 100]);
});

/** A host with functions that are called at scripted pauses: those that are over the budget give up what is worth least. */
class ScriptedHost {
  now = 0;
  readonly uses = new Uses();
  readonly instances: Instance[] = [];
  readonly moved: string[] = [];
  readonly ended: string[] = [];
  canHibernate = true;
  readonly budget: MemoryBudget;
  readonly #memory = new Map<string, { privateBytes: number; swapCachedBytes: number; swappedBytes: number }>();

  constructor(budgetMiB: number) {
    this.budget = new MemoryBudget({
      budgetBytes: budgetMiB * mebibyte,
      memory: () => this.#sum(),
      hibernation: { canNow: () => this.canHibernate, memoryPerSwappedByte: () => 0.25, backMsPerByte: 0.5 / mebibyte },
      instances: {
        all: this.instances,
        isProvisioned: ({ version }) => version.config.minimum > 0,
        end: (id) => {
          this.ended.push(id);
          this.instances.splice(
            this.instances.findIndex((one) => one.id === id),
            1,
          );
        },
      },
      pageOuts: {
        has: () => false,
        begin: (instance) => {
          this.moved.push(instance.id);
          const memory = instance.sandbox.memory();
          this.#memory.set(instance.id, { privateBytes: 0, swapCachedBytes: 0, swappedBytes: memory.privateBytes });
          instance.state = { kind: 'hibernated', since: this.now };
        },
      },
      uses: this.uses,
      now: () => this.now,
      log: pino({ level: 'silent' }),
    });
  }

  add(id: string, mib: number, everyMs: number, state: InstanceState = { kind: 'idle', since: 0, isQuiet: true }, minimum = 0): void {
    const version = { ...plain, function: id, config: { ...plain.config, minimum } };
    this.#memory.set(id, { privateBytes: mib * mebibyte, swapCachedBytes: 0, swappedBytes: 0 });
    const none = { privateBytes: 0, swapCachedBytes: 0, swappedBytes: 0 };
    this.instances.push({ id, version, state, sandbox: { memory: () => this.#memory.get(id) ?? none } } as unknown as Instance);
    for (const use of [2, 1, 0]) this.uses.used(version, this.now - use * everyMs);
  }

  #sum() {
    const sum = { privateBytes: 0, swapCachedBytes: 0, swappedBytes: 0 };
    for (const { id } of this.instances) {
      sum.privateBytes += this.#memory.get(id)?.privateBytes ?? 0;
      sum.swappedBytes += this.#memory.get(id)?.swappedBytes ?? 0;
    }
    return sum;
  }
}

test('below its budget nothing happens; above it the seldom used go to swap, and then are ended, until there is enough', () => {
  const host = new ScriptedHost(100);
  for (const [id, everyMs] of [
    ['seldom', 600_000],
    ['often', 1_000],
    ['sometimes', 60_000],
  ] as const)
    host.add(id, 30, everyMs);
  host.budget.look();
  assert.deepEqual(host.moved, []);
  host.add('new', 30, 30_000);
  host.budget.look();
  assert.deepEqual([host.moved, host.ended], [['seldom', 'sometimes'], []]);
  host.budget.look();
  assert.deepEqual(host.moved.length, 2, 'there is enough now');
  for (let more = 0; more < 20; more++) host.add(`more ${more}`, 30, 60_000);
  for (let looks = 0; looks < 10; looks++) host.budget.look();
  assert.ok(host.budget.heldBytes <= 100 * mebibyte, `${host.budget.heldBytes / mebibyte} MiB`);
  assert.ok(
    host.instances.some(({ id, state }) => id === 'often' && state.kind === 'idle'),
    'who is called every second stays',
  );
});

test('what is in use, provisioned or not quiet gives nothing up', () => {
  const host = new ScriptedHost(10);
  host.add('leased', 30, 60_000, { kind: 'leased', leases: [] });
  host.add('busy in the background', 30, 60_000, { kind: 'idle', since: 0, isQuiet: false });
  host.add('provisioned', 30, 60_000, undefined, 1);
  host.budget.look();
  assert.deepEqual([host.moved, host.ended], [[], []]);
});

test('without swap the least valuable are ended', () => {
  const host = new ScriptedHost(100);
  host.canHibernate = false;
  for (let at = 0; at < 5; at++) host.add(String(at), 30, 1_000 * (at + 1));
  host.budget.look();
  assert.deepEqual([host.moved, host.ended], [[], ['3', '4']]);
});

test('memory moves when keeping it has cost as much as that, within bounds', () => {
  const bytesPerProcessor = 8 * 1024 * mebibyte;
  assert.equal(breakEvenMs({ processorMsPerByte: 16 / mebibyte, bytesPerProcessor }), 32_768);
  assert.equal(breakEvenMs({ processorMsPerByte: 0.01 / mebibyte, bytesPerProcessor }), 10_000);
  assert.equal(breakEvenMs({ processorMsPerByte: 1_000 / mebibyte, bytesPerProcessor }), 600_000);
});
