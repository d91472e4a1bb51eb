/** Traffic files, and what is replayed of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { durationAt } from '../../src/simulate/arrivals.ts';
import { emptyOutcome } from '../../src/simulate/outcome.ts';
import { readTraffic } from '../../src/simulate/read-traffic.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { startTimeOf } from '../../src/simulate/start-times.ts';
import { randomOf } from '../../src/simulate/random.ts';
import { TimeQueue } from '../../src/simulate/time-queue.ts';
import type { Policy } from '../../src/simulate/policy.ts';
import { policyOf, settings } from './patterns.ts';

const fixture = (name: string) => ({ name, text: readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8') });
const assumed = { durations: [{ share: 1, ms: 100 }], memoryMiB: 128 };
const azure = readTraffic(
  { traffic: fixture('invocations.csv'), durations: fixture('durations.csv'), memory: fixture('memory.csv') },
  assumed,
);
const text = (lines: string) => readTraffic({ traffic: { name: 't.csv', text: lines }, durations: undefined, memory: undefined }, assumed);

test('the Azure format: counts by minute, percentiles of durations, memory', () => {
  assert.deepEqual([azure.functions.length, azure.lengthMs], [4, 60 * 60_000]);
  const [first] = azure.functions;
  assert.deepEqual([first?.name, first?.memoryMiB, first?.durations.length], ['every-minute', 100, 7]);
});

test('seconds with durations', () => {
  const { functions, lengthMs } = text('seconds,durationMs,function\n1.5,20,b\n0,10,a\n0.5,30,b\n');
  assert.equal(lengthMs, 2_000);
  assert.deepEqual(
    functions.map(({ name, requests }) => [name, requests.kind === 'times' ? requests.all : []]),
    [
      [
        'b',
        [
          { atMs: 500, durationMs: 30 },
          { atMs: 1_500, durationMs: 20 },
        ],
      ],
      ['a', [{ atMs: 0, durationMs: 10 }]],
    ],
  );
});

const mistakes: [what: string, lines: string, message: RegExp][] = [
  ['another head', 'time,what\n1,2\n', /^t\.csv:1: the first line is neither/],
  ['a value that is no number', 'seconds,durationMs\n1,10\nx,10\n', /^t\.csv:3: seconds is "x"; it is a number/],
  ['a value too few', 'seconds,durationMs\n1\n', /^t\.csv:2: it has 1 values, but the first line names 2/],
  ['no traffic', 'seconds,durationMs\n', /^t\.csv: there is no traffic in it/],
];
for (const [what, lines, message] of mistakes)
  test(`refused: ${what}`, () => assert.throws(() => text(lines), { code: 'BadRequest', message }));

test('two runs with one seed are the same to the last bit, and another seed is not', () => {
  const run = (seed: string) => simulate(azure, policyOf(), { ...settings, seed });
  assert.deepEqual(run('a'), run('a'));
  assert.notDeepEqual(run('a'), run('b'));
});

test('what comes is the same under every policy', () => {
  const requests = [policyOf(), policyOf({ idleMs: 600_000 }, false)].map((policy) => simulate(azure, policy, settings).requests);
  assert.equal(new Set(requests).size, 1);
});

/** One instance for a function, no time to start, no time to answer, everything at the minute's start: as simple simulators assume. */
function coldAfter(keepMinutes: number): number {
  const policy = policyOf({ idleMs: keepMinutes * 60_000, freezeMs: 86_400_000 }, false);
  const simple: Policy = { ...policy, config: { ...policy.config, concurrency: 1e9 } };
  const still = { ...azure, functions: azure.functions.map((one) => ({ ...one, durations: [{ share: 1, ms: 0 }] })) };
  return simulate(still, simple, { starts: { p50Ms: 0, p95Ms: 0, thawMs: 0 }, spread: 'start', seed: '1' }).starts;
}

test('with the assumptions of simple simulators it has their cold starts: one for each gap that is longer than the time kept', () => {
  const gaps = azure.functions.flatMap(({ requests }) => {
    const busy = requests.kind === 'minutes' ? requests.counts.flatMap((count, minute) => (count > 0 ? [minute] : [])) : [];
    return busy.map((minute, at) => (at === 0 ? Infinity : minute - (busy[at - 1] ?? 0)));
  });
  for (const keep of [1, 5, 10, 20]) assert.equal(coldAfter(keep), gaps.filter((gap) => gap > keep).length, `${keep} min`);
});

test('events come in the order of their times, equal ones in the order in which they were added', () => {
  const queue = new TimeQueue();
  const random = randomOf('queue');
  const times = Array.from({ length: 1_000 }, () => Math.floor(random() * 50));
  for (const [at, time] of times.entries()) queue.add(time, at);
  const expected = times.map((time, at) => ({ time, at })).sort((one, other) => one.time - other.time || one.at - other.at);
  assert.deepEqual(
    times.map(() => queue.take()),
    expected.map(({ at }) => at),
  );
  assert.deepEqual([queue.nextMs, queue.take()], [Infinity, -1]);
});

test('durations lie on the line between percentiles', () => {
  const quantiles = [
    { share: 0, ms: 10 },
    { share: 0.5, ms: 20 },
    { share: 1, ms: 100 },
  ];
  assert.deepEqual(
    [0, 0.25, 0.5, 0.75, 1].map((share) => durationAt(quantiles, share)),
    [10, 15, 20, 60, 100],
  );
});

test('start times have the percentiles that were measured', () => {
  const random = randomOf('starts');
  const drawn = Float64Array.from({ length: 20_000 }, () => startTimeOf({ p50Ms: 5, p95Ms: 15, thawMs: 1 }, random)).sort();
  const [p50 = 0, p95 = 0] = [drawn[10_000], drawn[19_000]];
  assert.ok(Math.abs(p50 - 5) < 0.2 && Math.abs(p95 - 15) < 0.7, `${p50} and ${p95}`);
});

test('an outcome begins with nothing', () => assert.equal(emptyOutcome(5_000).changes.length, 7));
