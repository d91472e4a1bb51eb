import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { endReason } from '../../src/agent/end-reason.ts';
import { holding } from '../../src/agent/leases.ts';
import { chooseIsolation, type IsolationReport } from '../../src/agent/isolation.ts';
import { openCgroupV1 } from '../../src/agent/linux/cgroup-v1.ts';
import { openCgroupV2 } from '../../src/agent/linux/cgroup-v2.ts';
import { parseCgroupMounts, parseMemberships } from '../../src/agent/linux/open-cgroups.ts';
import { bootsToStart } from '../../src/agent/pool.ts';
import { countsProcessesByNamespace } from '../../src/agent/sandbox/process-limit.ts';
import { kindOf } from '../../src/agent/sandbox/sandbox.ts';
import { Slots } from '../../src/agent/slots.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import type { Peer } from '../../src/wire/calls.ts';

const full = { target: 4, ready: 4, booting: 0, waiting: 0, room: 100, bootsAtOnce: 2, waitedBootsAtOnce: 8 };
const boots: [what: string, counts: Partial<typeof full>, started: number][] = [
  ['a full pool', {}, 0],
  ['one was taken', { ready: 3 }, 1],
  ['an empty pool refills a few at a time', { ready: 0 }, 2],
  ['while the limit boots', { ready: 0, booting: 2 }, 0],
  ['each who waits gets a boot', { ready: 0, waiting: 7 }, 7],
  ['more who wait than the processors can boot at once', { ready: 0, waiting: 100 }, 8],
  ['some of them boot already', { ready: 0, waiting: 100, booting: 5 }, 3],
  ['those who wait take what boots already', { ready: 0, booting: 2, waiting: 2 }, 0],
  ['a pool of none boots for those who wait', { target: 0, ready: 0, waiting: 3 }, 3],
  ['never more than there is room', { ready: 0, waiting: 10, room: 4 }, 4],
];
for (const [what, counts, started] of boots) {
  test(`boots: ${what}`, () => {
    assert.equal(bootsToStart({ ...full, ...counts }), started);
  });
}

test('a lease ends by time, and with its holder', () => {
  const gone = new AbortController();
  const holder: Peer = {
    role: 'gateway',
    greeting: {},
    signal: gone.signal,
    notify: () => undefined,
    notifyText: () => undefined,
    close: () => undefined,
  };
  const leases = [{ holder, process: undefined, slots: 1, until: 100 }];
  assert.deepEqual([holding(leases, 99, 1_000), holding(leases, 100, 1_000)], [leases, []]);
  gone.abort();
  assert.deepEqual(holding(leases, 50, 1_000), []);
});

const ended = { exit: { code: 1, signal: null }, oomKills: 0, pidsRefused: 0, tail: '' };
const ends: [
  what: string,
  facts: Partial<typeof ended> | { exit: { code: number | null; signal: string | null } },
  code: string,
  words: RegExp,
][] = [
  ['an exit', {}, 'FunctionCrashed', /exited with code 1/],
  ['the kernel’s OOM killer', { oomKills: 1 }, 'OutOfMemory', /memory limit of 128 MiB/],
  [
    'V8’s own limit',
    { tail: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' },
    'OutOfMemory',
    /raise "memory"/,
  ],
  ['a signal', { exit: { code: 139, signal: null } }, 'FunctionCrashed', /signal 11/],
  ['too many processes', { pidsRefused: 3 }, 'FunctionCrashed', /more processes/],
  ['an unknown end', { exit: { code: null, signal: null } }, 'FunctionCrashed', /ended/],
];
for (const [what, facts, code, words] of ends) {
  test(`reason of ${what}`, () => {
    const reason = endReason('resize', 128, { ...ended, ...facts });
    assert.equal(reason.code, code);
    assert.match(reason.detail, words);
  });
}

test('memory is rounded up to a class, so that few pools serve all', () => {
  assert.deepEqual(kindOf({ runtime: 'nodejs26', memoryMiB: 128 }), { runtime: 'nodejs26', memoryMiB: 128 });
  assert.deepEqual(kindOf({ runtime: 'nodejs26', memoryMiB: 129 }), kindOf({ runtime: 'nodejs26', memoryMiB: 192 }));
});

test('a slot is taken by one at a time, and refused when there is none', () => {
  const slots = new Slots(2);
  slots.claim(0);
  assert.equal(slots.take(), 1);
  assert.throws(
    () => slots.take(),
    (error) => error instanceof SwiftletError && error.code === 'HostFull',
  );
  slots.release(0);
  assert.equal(slots.take(), 0);
});

const report = (mode: IsolationReport['mode']): IsolationReport => ({
  mode,
  facts: [
    { means: 'namespaces', inForce: mode === 'bubblewrap', detail: 'bubblewrap is not installed', remedy: 'apt-get install bubblewrap' },
  ],
});
test('without isolation it refuses to start, unless told to', () => {
  assert.equal(chooseIsolation('auto', report('bubblewrap')), 'bubblewrap');
  assert.equal(chooseIsolation('process', report('process')), 'process');
  for (const wanted of ['auto', 'bubblewrap'] as const) {
    assert.throws(
      () => chooseIsolation(wanted, report('process')),
      (error) =>
        error instanceof SwiftletError && error.code === 'IsolationUnavailable' && error.message.includes('apt-get install bubblewrap'),
    );
  }
});

test('cgroups are found where the system has them', () => {
  assert.deepEqual(
    [...parseMemberships('4:memory:/a:b\n3:cpu,cpuacct:/c\n0::/d\n')],
    [
      ['memory', '/a:b'],
      ['cpu', '/c'],
      ['cpuacct', '/c'],
      ['', '/d'],
    ],
  );
  const mounts = parseCgroupMounts(
    '30 20 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n31 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
  );
  assert.equal(mounts.v2, '/sys/fs/cgroup/unified');
  assert.equal(mounts.v1.get('memory'), '/sys/fs/cgroup/memory');
});

test('every process of the platform finds its cgroups at the same place, those too that were moved into the leaf', (t) => {
  const v2 = mkdtempSync(join(tmpdir(), 'swiftlet-cgroups-'));
  t.after(() => rmSync(v2, { recursive: true }));
  const service = join(v2, 'service');
  for (const folder of [service, join(service, 'swiftlet-roles')]) {
    mkdirSync(folder);
    for (const file of ['cgroup.controllers', 'cgroup.subtree_control']) writeFileSync(join(folder, file), 'cpu memory pids');
  }
  for (const own of ['/service', '/service/swiftlet-roles']) {
    const cgroups = openCgroupV2('swiftlet-1', { v2, v1: new Map() }, new Map([['', own]]));
    assert.equal(cgroups?.missing, undefined);
    assert.equal(cgroups?.version, 2);
  }
  assert.deepEqual(
    readdirSync(service, { withFileTypes: true })
      .flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
      .toSorted(),
    ['swiftlet-1', 'swiftlet-roles'],
  );
  assert.deepEqual(readdirSync(join(service, 'swiftlet-roles')).length, 2);
});

test('processes that were moved, so that their cgroup may limit others, are where they were before when it is closed', (t) => {
  const v2 = mkdtempSync(join(tmpdir(), 'swiftlet-cgroups-'));
  t.after(() => rmSync(v2, { recursive: true }));
  const leaf = join(v2, 'swiftlet-roles');
  mkdirSync(leaf);
  for (const file of ['cgroup.controllers', 'cgroup.subtree_control']) writeFileSync(join(v2, file), 'cpu memory pids');
  const cgroups = openCgroupV2('swiftlet-1', { v2, v1: new Map() }, new Map([['', '/swiftlet-roles']]));
  writeFileSync(join(leaf, 'cgroup.procs'), '4711\n');
  // The kernel's own files go with a cgroup; these do not.
  rmSync(join(v2, 'swiftlet-1'), { recursive: true });
  cgroups?.close();
  assert.equal(readFileSync(join(v2, 'cgroup.procs'), 'utf8'), '4711');
  assert.equal(readFileSync(join(v2, 'cgroup.subtree_control'), 'utf8'), '-memory -pids -cpu');
});

test('without a freezer nothing is frozen, and nothing fails for it', (t) => {
  const mounts = mkdtempSync(join(tmpdir(), 'swiftlet-cgroups-'));
  t.after(() => rmSync(mounts, { recursive: true }));
  const v1 = new Map([['memory', join(mounts, 'memory')]]);
  const withFreezer = new Map([...v1, ['freezer', join(mounts, 'freezer')]]);
  for (const folder of withFreezer.values()) mkdirSync(folder);
  const without = openCgroupV1('swiftlet-1', { v2: undefined, v1 }, new Map());
  assert.deepEqual([without?.canFreeze, [...(without?.available ?? [])]], [false, ['memory']]);
  without?.freeze('slot-1');
  without?.thaw('slot-1');
  const cgroups = openCgroupV1('swiftlet-2', { v2: undefined, v1: withFreezer }, new Map());
  assert.deepEqual([cgroups?.canFreeze, [...(cgroups?.available ?? [])]], [true, ['memory']]);
});

test('the kernel counts processes by user namespace since 5.14', () => {
  const kernels = ['4.19.0-26-amd64', '5.10.0-28-amd64', '5.14.0', '5.15.0-91-generic', '6.1.0-18-amd64', '10.0'];
  assert.deepEqual(
    kernels.map((kernel) => countsProcessesByNamespace(kernel)),
    [false, false, true, true, true, true],
  );
});
