/** How many instances a version is to have, and why: by cases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionConfigSchema } from '../../src/model/function.ts';
import { decideScale, noMemory, type ScaleFacts, type ScaleMemory } from '../../src/scaling/decide.ts';
import type { Load, Means } from '../../src/scaling/load-history.ts';

const now = 1_000_000;
const none: Means = { stable: 0, burst: 0 };
const steady = (load: number): Means => ({ stable: load, burst: load });
const loadOf = (some: Partial<Load>): Load => ({ concurrency: none, qps: none, cpu: none, memory: none, lag: none, ...some });
const config = functionConfigSchema.parse({ concurrency: 10, maximum: 50 });
const scaled = (some: object): ScaleFacts['config'] => functionConfigSchema.parse({ concurrency: 10, maximum: 50, scale: some });
/** By a hundred messages. Where messages can wait is no matter here. */
const lagging: ScaleFacts['config'] = { ...config, scale: { ...config.scale, thresholds: { lag: 100 } } };
const facts: ScaleFacts = {
  config,
  load: loadOf({}),
  inFlight: 1,
  quietForMs: 0,
  running: 20,
  ageMs: 3_600_000,
  schedule: undefined,
};
const lately = (instances: number, msAgo: number, target = instances): ScaleMemory => ({
  target,
  highs: [{ instances, untilMs: now - msAgo + config.scale.delayMs }],
});
const schedule = (some: object): ScaleFacts['schedule'] => ({ expression: '0 9 * * *', timeZone: 'UTC', forMs: 1_000, ...some });

type Case = [what: string, facts: Partial<ScaleFacts>, before: ScaleMemory, target: number, limitedBy: string | undefined];
const cases: Case[] = [
  ['no load', {}, noMemory, 0, undefined],
  ['what one instance takes is left to those who wait', { load: loadOf({ concurrency: steady(6.9) }) }, noMemory, 0, undefined],
  ['above 70 % of one there are two', { load: loadOf({ concurrency: steady(7.1) }) }, noMemory, 2, undefined],
  ['just 70 % of two is two', { load: loadOf({ concurrency: steady(14) }) }, noMemory, 2, undefined],
  ['a burst counts if it wants twice as many', { load: loadOf({ concurrency: { stable: 35, burst: 70 } }) }, noMemory, 10, undefined],
  ['a burst that wants less than that does not', { load: loadOf({ concurrency: { stable: 35, burst: 63 } }) }, noMemory, 5, undefined],
  ['a burst that is less does not', { load: loadOf({ concurrency: { stable: 70, burst: 7 } }) }, noMemory, 10, undefined],
  ['at most twice as many in a step', { load: loadOf({ concurrency: steady(200) }), running: 3 }, noMemory, 6, 'factor'],
  ['from nothing to two', { load: loadOf({ concurrency: steady(200) }), running: 0 }, noMemory, 2, 'factor'],
  [
    'twice the target, when it has not been reached',
    { load: loadOf({ concurrency: steady(200) }), running: 3 },
    lately(10, 0),
    20,
    'factor',
  ],
  ['fewer, but more was wanted within the delay', { load: loadOf({ concurrency: steady(20) }) }, lately(9, 60_000), 9, 'delay'],
  ['fewer, and more was wanted before the delay', { load: loadOf({ concurrency: steady(20) }) }, lately(9, 60_001), 3, undefined],
  ['never below what is in flight', { load: loadOf({ concurrency: steady(20) }), inFlight: 95 }, noMemory, 10, 'in flight'],
  ['what waits is not in flight', { load: loadOf({ concurrency: steady(20) }), inFlight: 500, running: 4 }, noMemory, 4, 'in flight'],
  ['never above the maximum', { load: loadOf({ concurrency: steady(900) }), running: 40 }, noMemory, 50, 'maximum'],
  ['never below the minimum', { config: { ...config, minimum: 5 } }, noMemory, 5, 'minimum'],
  ['nothing after the idle time', { load: loadOf({ concurrency: steady(20) }), inFlight: 0, quietForMs: 60_000 }, lately(9, 0), 0, 'idle'],
  ['a new version', { config: scaled({ initial: 4 }), ageMs: 59_999 }, noMemory, 4, 'initial'],
  [
    'a new version whose load wants more',
    { config: scaled({ initial: 4 }), ageMs: 0, load: loadOf({ concurrency: steady(70) }) },
    noMemory,
    10,
    undefined,
  ],
  ['one that is new no more', { config: scaled({ initial: 4 }), ageMs: 60_000 }, noMemory, 0, undefined],
  ['one-shot', { config: { ...config, process: 'one-shot' }, load: loadOf({ concurrency: steady(70) }) }, noMemory, 0, 'one-shot'],
  ['a schedule’s number', { schedule: schedule({ target: 7 }), load: loadOf({ concurrency: steady(200) }) }, noMemory, 7, 'schedule'],
  ['a schedule’s number of one', { schedule: schedule({ target: 1 }) }, noMemory, 1, 'schedule'],
  ['a schedule’s minimum', { schedule: schedule({ minimum: 7 }) }, noMemory, 7, 'minimum'],
  ['a schedule’s maximum', { schedule: schedule({ maximum: 7 }), load: loadOf({ concurrency: steady(200) }) }, noMemory, 7, 'maximum'],
  ['requests a second', { config: scaled({ thresholds: { qps: 100 } }), load: loadOf({ qps: steady(700) }) }, noMemory, 10, undefined],
  [
    'a signal that is named replaces concurrency',
    { config: scaled({ thresholds: { qps: 100 } }), load: loadOf({ concurrency: steady(90) }) },
    noMemory,
    0,
    undefined,
  ],
  ['processors', { config: scaled({ thresholds: { cpu: 100 } }), load: loadOf({ cpu: steady(2.1) }) }, noMemory, 3, undefined],
  ['messages', { config: lagging, load: loadOf({ lag: steady(280), concurrency: steady(90) }) }, noMemory, 4, undefined],
  ['memory', { config: scaled({ thresholds: { memory: 80 } }), load: loadOf({ memory: steady(5.6) }) }, noMemory, 10, undefined],
  [
    'of a mix, the most',
    { config: scaled({ thresholds: { qps: 100, concurrency: 10 } }), load: loadOf({ qps: steady(700), concurrency: steady(140) }) },
    noMemory,
    20,
    undefined,
  ],
  [
    'another share of the threshold',
    { config: scaled({ outAtPercent: 100 }), load: loadOf({ concurrency: steady(30) }) },
    noMemory,
    3,
    undefined,
  ],
];

for (const [what, some, before, target, limitedBy] of cases)
  test(`${what}: ${target}${limitedBy === undefined ? '' : `, limited by ${limitedBy}`}`, () => {
    const { decision } = decideScale(before, { ...facts, ...some }, now);
    assert.deepEqual([decision.target, decision.limitedBy], [target, limitedBy]);
  });

test('it says what signal wants how much, over which window', () => {
  const { decision } = decideScale(noMemory, { ...facts, load: loadOf({ concurrency: { stable: 14, burst: 35 } }) }, now);
  assert.deepEqual(decision.wanted, { instances: 5, signal: 'concurrency', window: 'burst', load: 35, perInstance: 7 });
});

test('the most of the delay holds until it is over, then the next most', () => {
  let memory: ScaleMemory = noMemory;
  const targets: number[] = [];
  const loads = [70, 35, 28, 28, 28, 28];
  for (const [at, load] of loads.entries()) {
    const decided = decideScale(memory, { ...facts, load: loadOf({ concurrency: steady(load) }) }, now + at * 36_000);
    ({ memory } = decided);
    targets.push(decided.decision.target);
  }
  assert.deepEqual(targets, [10, 10, 5, 4, 4, 4]);
});

test('what a burst wanted holds until the long window has seen as much', () => {
  const burst = decideScale(noMemory, { ...facts, load: loadOf({ concurrency: { stable: 21, burst: 70 } }) }, now);
  const after = (ms: number) =>
    decideScale(burst.memory, { ...facts, load: loadOf({ concurrency: steady(35) }) }, now + ms).decision.target;
  assert.deepEqual([burst.decision.target, after(60_000), after(60_001)], [10, 10, 5]);
});
