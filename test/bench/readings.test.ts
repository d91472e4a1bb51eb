/** What the bench reads of other programs’ output and of the kernel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isolationIn } from '../../bench/isolation.ts';
import { readAutocannonReport, readWrkReport } from '../../bench/load.ts';
import { poolStateIn } from '../../bench/pool.ts';
import { cpuMsOf, parseKibibytes, parseStat, processTree } from '../../bench/processes.ts';
import { parseServerTiming, timingNote } from '../../bench/server-timing.ts';

test('wrk’s report is found among its output', () => {
  const output =
    'Running 2s test\n  1 threads\nREPORT {"requests":1000,"durationUs":2000000,"p50Us":61,"p99Us":250,"maxUs":9000,"errors":3}\n';
  assert.deepEqual(readWrkReport(output), { tool: 'wrk', requests: 1000, requestsPerSecond: 500, p50Ms: 0.061, p99Ms: 0.25, errors: 3 });
  assert.throws(() => readWrkReport('unable to connect'), /no report: unable to connect/);
});

test('autocannon’s report: over one connection the mean stands for the median', () => {
  const json = JSON.stringify({ duration: 2, errors: 1, timeouts: 2, non2xx: 3, requests: { total: 8000 }, latency: { p50: 0, p99: 1 } });
  assert.deepEqual(readAutocannonReport(json, 1), {
    tool: 'autocannon',
    requests: 8000,
    requestsPerSecond: 4000,
    p50Ms: 0.25,
    p99Ms: 1,
    errors: 6,
  });
  assert.equal(readAutocannonReport(json, 32).p50Ms, 0);
});

test('pools are added up over their kinds, and other metrics are left out', () => {
  const metrics = [
    '# HELP swiftlet_pool_ready Warm sandboxes',
    'swiftlet_pool_ready{runtime="nodejs26",memory_mib="128"} 7',
    'swiftlet_pool_ready{runtime="nodejs22",memory_mib="128"} 1',
    'swiftlet_pool_ready_since_seconds{runtime="nodejs26"} 99',
    'swiftlet_pool_size{runtime="nodejs26",memory_mib="128"} 8',
  ].join('\n');
  assert.deepEqual(poolStateIn(metrics), { ready: 8, size: 8 });
});

test('a start’s phases are read, and what they leave is told', () => {
  const timing = parseServerTiming('queue;dur=0.5, sandbox;dur=0, init;dur=1.25, cache;desc="hit"');
  assert.deepEqual(
    [...timing],
    [
      ['queue', 0.5],
      ['sandbox', 0],
      ['init', 1.25],
    ],
  );
  assert.match(timingNote([{ tookMs: 2, timing }]), /queue 0\.50, sandbox 0\.00, init 1\.25; .* 0\.25$/);
});

test('isolation is full when every means is in force', () => {
  const fact = (means: string, inForce: boolean) => ({ means, inForce, detail: '' });
  assert.deepEqual(isolationIn({ isolation: { mode: 'bubblewrap', facts: [fact('a', true), fact('b', true)] } }), {
    full: true,
    detail: 'a, b',
  });
  assert.deepEqual(isolationIn({ isolation: [fact('a', true), fact('freezing of idle instances', false)] }), { full: true, detail: 'a' });
  assert.deepEqual(isolationIn({ isolation: [fact('a', true), fact('b', false)] }), { full: false, detail: 'missing: b' });
  assert.equal(isolationIn({ isolation: [] }).full, false);
  assert.equal(isolationIn({ isolation: { mode: 'process', facts: [fact('a', true)] } }).full, false);
});

test('a process’s name may look like fields of its own', () => {
  const stat = '42 (a) R 1 (b) S 7 42 42 0 -1 4194304 1 2 3 4 150 50 20 30 20 0 1 0 99';
  assert.deepEqual(parseStat(stat), { parent: 7, cpuMs: 2_500 });
});

test('memory lines are read by their whole name', () => {
  const rollup = 'Rss:       100 kB\nPss:        40 kB\nPss_Dirty:  30 kB\n';
  assert.equal(parseKibibytes(rollup, 'Pss'), 40 * 1024);
  assert.equal(parseKibibytes(rollup, 'Swap'), 0);
});

test('this process has a tree that used some processor time', () => {
  const tree = processTree(process.pid);
  assert.equal(tree[0]?.pid, process.pid);
  assert.ok(cpuMsOf(tree) > 0);
});
