/** Phases of a start, worked out from moments. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BootMoments, startTimes } from '../../src/agent/start-times.ts';
import { noPhases, type PhaseSpan, type StartTimes } from '../../src/model/phases.ts';

const moments = { asked: 100, taken: 101, attached: 104, ready: 110 };
const report = { environmentMs: 1, runtimeMs: 2, initMs: 3 };
const pooled: BootMoments = { began: 10, created: 14, booted: 40 };
const shortly = ({ spans }: StartTimes) => spans.map(({ phase, atMs, ms }) => `${phase} ${atMs}+${ms}`);

test('a sandbox from a pool: its boot was prepaid, and nobody waited for it', () => {
  const times = startTimes(moments, { boot: pooled, codeMs: 7 }, report);
  assert.deepEqual(shortly(times), ['sandbox 0+1', 'environment 1+1', 'code 2+2', 'network 4+0', 'runtime 4+3', 'init 7+3']);
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
    const times = startTimes({ asked: 100, taken: 132, attached: 134, ready: 140 }, { boot, codeMs: 0 }, report);
    assert.deepEqual(shortly(times).slice(0, first.length), first);
    assert.equal(times.spans[first.length]?.phase, 'environment');
    assert.deepEqual(times.prepaid, { ...noPhases, sandbox, runtime });
  });
}

test('the phases follow each other without gaps and are all there, whatever the runtime claims', () => {
  for (const claimed of [report, { environmentMs: 1e6, runtimeMs: 0, initMs: 1e6 }, { environmentMs: 0, runtimeMs: 0, initMs: 0 }]) {
    const { spans } = startTimes(moments, { boot: pooled, codeMs: 0 }, claimed);
    assert.deepEqual(new Set(spans.map(({ phase }) => phase)), new Set(Object.keys(noPhases)));
    const end = spans.reduce((at, { atMs, ms }: PhaseSpan) => {
      assert.equal(atMs, at);
      assert.ok(ms >= 0, 'no more was claimed than there was');
      return at + ms;
    }, 0);
    assert.equal(end, moments.ready - moments.asked);
  }
});
