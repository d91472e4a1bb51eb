/** What several gateways counted, as one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addCalls, addWatched, joinMetrics } from '../../src/control/gateway-sums.ts';
import { SummedLoads } from '../../src/control/summed-loads.ts';
import type { FunctionCalls } from '../../src/wire/gateway-calls.ts';
import type { Loads, VersionLoad } from '../../src/wire/scale-calls.ts';

const load = (busyMs: number, requests: number, inFlight = 0): VersionLoad => ({
  tenant: 'default',
  function: 'f',
  number: 1,
  busyMs,
  requests,
  inFlight,
});
const told = (process: string, ...loads: VersionLoad[]): Loads => ({ process, loads });
const sumsOf = ({ loads: [one] }: Loads): readonly number[] => (one === undefined ? [] : [one.busyMs, one.requests, one.inFlight]);

test('loads of gateways are added up, and go on growing when one of them ends, comes anew, or begins anew', () => {
  const summed = new SummedLoads();
  const steps: [all: Loads[], sums: readonly number[], why: string][] = [
    [[told('a', load(100, 10, 1)), told('b', load(50, 5, 2))], [150, 15, 3], 'at the first look they are the start'],
    [[told('a', load(200, 20, 1)), told('b', load(70, 7))], [270, 27, 1], 'both have grown'],
    [[told('a', load(300, 30))], [370, 37, 0], 'one is away, and takes nothing with it'],
    [[told('a', load(300, 30)), told('b', load(170, 17))], [470, 47, 0], 'it is back, and tells of what it did meanwhile'],
    [[told('a', load(300, 30)), told('c', load(9_000, 900))], [470, 47, 0], 'another one: when its sums came to be is not known'],
    [[told('a', load(300, 30)), told('c', load(9_010, 901))], [480, 48, 0], 'from then on it counts'],
    [[told('a', load(7, 1)), told('c', load(9_010, 901))], [487, 49, 0], 'sums that became less began anew'],
    [[told('a'), told('c')], [], 'nobody tells of it'],
    [[told('a', load(4, 2)), told('c')], [4, 2, 0], 'it begins at 0'],
  ];
  for (const [all, sums, why] of steps) assert.deepEqual(sumsOf(summed.add(all)), sums, why);
});

test('watches are added up once all gateways have heard of them', () => {
  const counts = (requests: number, errors: number, times: number[]) => ({ version: 2, requests, errors, times });
  assert.equal(addWatched([]), undefined);
  assert.deepEqual(addWatched([{ watch: 1, versions: [counts(1, 0, [1])] }, { versions: [] }]), { versions: [] });
  assert.deepEqual(
    addWatched([
      { watch: 1, versions: [counts(3, 1, [1, 2])] },
      { watch: 1, versions: [counts(4, 0, [0, 1])] },
    ]),
    { watch: 1, versions: [counts(7, 1, [1, 3])] },
  );
});

test('calls of the same two functions are one line', () => {
  const calls = (since: string, count: number): FunctionCalls =>
    ({ since, calls: [{ caller: 'a', callee: 'b', kind: 'sync', outcome: 'ok', count }] }) as unknown as FunctionCalls;
  const { since, calls: all } = addCalls([calls('2026-02-02T00:00:00.000Z', 2), calls('2026-01-01T00:00:00.000Z', 3)]);
  assert.deepEqual([since, all.map(({ count }) => count)], ['2026-01-01T00:00:00.000Z', [5]]);
});

test('metrics of several gateways are one text: a head once, all samples of a metric together, each with its gateway', () => {
  const text = (count: number) =>
    `# HELP requests of all\n# TYPE requests counter\nrequests{of="f"} ${count}\n# HELP open now\nopen ${count}\n`;
  assert.equal(
    joinMetrics(
      new Map([
        [1, text(4)],
        [2, text(7)],
      ]),
    ),
    [
      '# HELP requests of all',
      '# TYPE requests counter',
      'requests{gateway="1",of="f"} 4',
      'requests{gateway="2",of="f"} 7',
      '# HELP open now',
      'open{gateway="1"} 4',
      'open{gateway="2"} 7',
    ].join('\n'),
  );
});
