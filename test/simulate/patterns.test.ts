/** How the platform's decisions do under loads that are known to mislead autoscalers, on a virtual clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instancesBySecond, type Outcome, waitOf } from '../../src/simulate/outcome.ts';
import { policyOf, ran, sine, steps, traffic } from './patterns.ts';

const tenMinutes = 600;
/** What loads are followed closely with: less is kept than by default, and more is started. */
const brisk = { scale: { delayMs: 10_000 } };

/** How often the number turns around by more than so many instances. */
function turns(outcome: Outcome, byMoreThan: number): number {
  let [last, direction, count] = [0, 0, 0];
  // At the end everything ends.
  for (const there of instancesBySecond(outcome).slice(0, -2)) {
    if (Math.abs(there - last) <= byMoreThan) continue;
    const now = Math.sign(there - last);
    if (direction !== 0 && now !== direction) count += 1;
    direction = now;
    last = there;
  }
  return count;
}

const shown = (value: number): string => value.toFixed(2);

test('a sine between 1 and 19 requests at once: at most 1.6 times the ideal, and it turns as often as the load does', () => {
  const { outcome, overIdeal } = ran(traffic(sine(100, 90, tenMinutes), tenMinutes, 100), policyOf(brisk));
  assert.ok(overIdeal <= 1.6, shown(overIdeal));
  assert.ok(turns(outcome, 3) <= 2, `${turns(outcome, 3)} turns`);
  assert.equal(outcome.refused, 0);
});

test('steps 10, 200, 10 requests/s: at most 2.0 times the ideal, and no overshoot beyond the load over 70 %', () => {
  const { outcome, overIdeal } = ran(traffic(steps(10, 200, 200), tenMinutes, 100), policyOf(brisk));
  assert.ok(overIdeal <= 2, shown(overIdeal));
  const peak = Math.max(...instancesBySecond(outcome));
  assert.ok(peak <= Math.ceil(20 / 0.7) + 2, `${peak} instances for 20 requests at once`);
  assert.equal(turns(outcome, 3), 1);
});

test('a steady load with concurrency: the number comes to rest', () => {
  const { outcome } = ran(
    traffic(() => 500, tenMinutes, 100),
    policyOf({ concurrency: 10 }),
  );
  const settled = new Set(instancesBySecond(outcome).slice(120, -2));
  assert.deepEqual([...settled], [8], 'fifty at once, seven for each');
});

test('bursts of ten seconds every two minutes: each is answered, and what came for it goes in between', () => {
  const { outcome } = ran(
    traffic((second) => (second % 120 < 10 ? 200 : 0), tenMinutes, 100),
    policyOf(),
  );
  const bySecond = instancesBySecond(outcome);
  assert.ok(Math.max(...bySecond) <= 45, `${Math.max(...bySecond)}`);
  assert.ok(waitOf(outcome, 0.99) < 40, `${waitOf(outcome, 0.99)} ms`);
  assert.ok(Math.min(...bySecond.slice(60, -60)) <= 1, `${Math.min(...bySecond.slice(60, -60))} between bursts`);
});

test('a thundering herd: a thousand at once are answered by as many instances, which are gone soon after', () => {
  const herd = { atMs: 5_000, durationMs: 100 };
  const all = Array.from({ length: 1_000 }, () => herd);
  const { functions } = traffic(() => 0, tenMinutes, 100);
  const only = functions.map((one) => ({ ...one, requests: { kind: 'times' as const, all } }));
  const { outcome } = ran({ functions: only, lengthMs: tenMinutes * 1_000 }, policyOf(brisk));
  assert.deepEqual([outcome.cold + outcome.waits.length > 0, outcome.starts <= 1_000, outcome.refused], [true, true, 0]);
  const bySecond = instancesBySecond(outcome);
  // What a burst wanted holds for a minute: a sixth of a hundred seconds of work, over 70 %.
  assert.ok((bySecond[60] ?? 0) <= 30 && (bySecond[90] ?? 0) <= 5, `${bySecond[60]}, then ${bySecond[90]}`);
  assert.equal(bySecond[200], 0);
});

test('a slow leak: hours of the same load have the same number of instances at their end as at their beginning', () => {
  const { outcome } = ran(
    traffic(() => 20, 4 * 3_600, 100),
    policyOf(),
  );
  const bySecond = instancesBySecond(outcome);
  const mean = (from: number): number => bySecond.slice(from, from + 600).reduce((sum, there) => sum + there, 0) / 600;
  assert.ok(Math.abs(mean(13_000) - mean(600)) < 0.5, `${mean(600)}, then ${mean(13_000)}`);
});

test('without the autoscaler what a peak started is kept for its idle time; with it for the delay', () => {
  const load = traffic(steps(10, 200, 200), tenMinutes, 100);
  const [scaled, kept] = [ran(load, policyOf({ idleMs: 600_000, ...brisk })), ran(load, policyOf({ idleMs: 600_000 }, false))];
  assert.ok(scaled.overIdeal < 0.9 * kept.overIdeal, `${shown(scaled.overIdeal)} and ${shown(kept.overIdeal)}`);
});

test('provisioned instances are there from the beginning to the end', () => {
  const { outcome } = ran(
    traffic(() => 0, 300, 100),
    policyOf({ minimum: 3 }),
  );
  assert.deepEqual([outcome.starts, outcome.instanceMs], [3, 900_000]);
});
