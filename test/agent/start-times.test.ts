/** Phases of a start, worked out from moments. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BootMoments, failedTimes, startTimes } from '../../src/agent/start-times.ts';
import { noPhases, type PhaseSpan, type StartTimes } from '../../src/model/phases.ts';

const moments = { asked: 100, taken: 101, attached: 104, ready: 110, networkMs: 0.5 };
const report = { environmentMs: 1, runtimeMs: 2, initMs: 3 };
const pooled: BootMoments = { began: 10, created: 14, booted: 40 };
const shortly = ({ spans }: StartTimes) => spans.map(({ phase, atMs, ms }) => `${phase} ${atMs}+${ms}`);

test('a sandbox from a pool: its boot was prepaid, and nobody waited for it', () => {
  const times = startTimes(moments, { boot: pooled, codeMs: 7 }, report);
  assert.deepEqual(shortly(times), ['sandbox 0+1', 'environment 1+1', 'code 2+1.5', 'network 3.5+0.5', 'runtime 4+3', 'init 7+3']);
  assert.deepEqual(times.prepaid, { ...noPhases, sandbox: 4, code: 7, runtime: 26 });
});

const boots: [what: string, boot: BootMoments | undefined, spans: string[], sandbox: number, runtime: number][] = [
  ['an empty pool: the whole boot is waited for', { began: 100, created: 112, booted: 130 }, ['sandbox 0+12', 'runtime 12+20'], 0, 0],
  [
    'a boot that was under way: what came before was prepaid',
    { began: 90, created: 95, booted: 125 },
    ['sandbox 0+0', 'runtime 0+32'],
    5,
    5,
  ],
  ['a sandbox of an earlier agent: nobody knows', undefined, ['sandbox 0+32'], 0, 0],
];
for (const [what, boot, first, sandbox, runtime] of boots) {
  test(what, () => {
    const times = startTimes({ asked: 100, taken: 132, attached: 134, ready: 140, networkMs: 0 }, { boot, codeMs: 0 }, report);
    assert.deepEqual(shortly(times).slice(0, first.length), first);
    assert.equal(times.spans[first.length]?.phase, 'environment');
    assert.deepEqual(times.prepaid, { ...noPhases, sandbox, runtime });
  });
}

test('a start that failed: with its code in all the rest is init; without, it failed over its code', () => {
  const failed = { asked: 100, taken: 101, networkMs: 0.5, failed: 110 };
  const prepared = { boot: pooled, codeMs: 7 };
  const withCode = failedTimes({ ...failed, attached: 104 }, prepared);
  assert.deepEqual(shortly(withCode), ['sandbox 0+1', 'environment 1+0', 'code 1+2.5', 'network 3.5+0.5', 'runtime 4+0', 'init 4+6']);
  const without = failedTimes({ ...failed, attached: undefined }, prepared);
  assert.deepEqual(shortly(without), ['sandbox 0+1', 'environment 1+0', 'code 1+8.5', 'network 9.5+0.5', 'runtime 10+0', 'init 10+0']);
});

test('the phases follow each other without gaps and are all there, whatever the runtime claims', () => {
  for (const claimed of [report, { environmentMs: 1e6, runtimeMs: 0, initMs: 1e6 }, { environmentMs: 0, runtimeMs: 0, initMs: 0 }]) {
    const { spans } = startTimes({ ...moments, networkMs: 2 }, { boot: pooled, codeMs: 0 }, claimed);
    assert.deepEqual(new Set(spans.map(({ phase }) => phase)), new Set(Object.keys(noPhases)));
    const end = spans.reduce((at, { atMs, ms }: PhaseSpan) => {
      assert.equal(atMs, at);
      assert.ok(ms >= 0, 'no more was claimed than there was');
      return at + ms;
    }, 0);
    assert.equal(end, moments.ready - moments.asked);
  }
});
