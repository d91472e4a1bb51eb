import assert from 'node:assert/strict';
import { test } from 'node:test';
import { residentPages, runsOf } from '../../src/agent/linux/resident-pages.ts';

const page = 4096n;
const [present, swapped, ofFile, absent] = [1n << 63n, 1n << 62n, (1n << 63n) | (1n << 61n), 0n];
const entries = (...values: readonly bigint[]) => Buffer.from(new BigUint64Array(values).buffer);

test('pages that one process alone has in memory are runs; what lies between two of them is read with them', () => {
  const gap = (pages: number) => Array.from({ length: pages }, () => absent);
  const cases = [
    { of: [], runs: [] },
    { of: [absent, swapped, ofFile], runs: [] },
    { of: [present, present, absent], runs: [[0n, 2n]] },
    { of: [swapped, present, ...gap(4), present], runs: [[1n, 6n]] },
    {
      of: [present, ...gap(5), present],
      runs: [
        [0n, 1n],
        [6n, 1n],
      ],
    }, // prettier-ignore
  ];
  for (const { of, runs } of cases)
    assert.deepEqual(
      runsOf(16n * page, entries(...of)),
      runs.map(([first = 0n, pages = 0n]) => ({ from: (16n + first) * page, bytes: pages * page })),
    );
});

test('of a process that is gone there are none; of this one there are', async () => {
  assert.deepEqual(await residentPages(2 ** 30), []);
  assert.ok((await residentPages(process.pid)).length > 0);
});
