/** A rollout step by step, over figures that are made up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextMove, type RolloutFacts } from '../../src/control/next-move.ts';
import { rolloutView } from '../../src/control/rollout-view.ts';
import { firstTraffic, type RolloutMove, startRollout } from '../../src/control/traffic.ts';
import { functionConfigSchema } from '../../src/model/function.ts';
import type { Rollout, RolloutPlan } from '../../src/model/rollout.ts';
import { allTo, shareOf } from '../../src/model/traffic.ts';
import { watchBoundsMs } from '../../src/wire/gateway-calls.ts';

const config = functionConfigSchema.parse({});
const canary: RolloutPlan = {
  strategy: 'canary',
  steps: [
    { weight: 5, forMs: 1_000 },
    { weight: 25, forMs: 2_000 },
  ],
};
const blueGreen: RolloutPlan = { strategy: 'blue-green', keepMs: 5_000 };

function begun(plan: RolloutPlan): Rollout {
  const { rollout } = startRollout(firstTraffic(1, 0), 2, plan, { name: 'shop', kept: new Set([1, 2]), nowMs: 0 });
  assert.ok(rollout !== undefined);
  return rollout;
}

const quick = (requests: number): number[] => watchBoundsMs.map((bound, at) => (at === 10 && bound > 0 ? requests : 0)).concat(0);

/** What is known when so many instances are ready and so many of 100 requests to the new version failed in this step. */
function known(rollout: Rollout, ready: number, errors = 0, change: Partial<RolloutFacts> = {}): RolloutFacts {
  const versions = [
    { version: 1, requests: 1_000, errors: 0, times: quick(1_000) },
    { version: 2, requests: 100, errors, times: quick(100) },
  ];
  return { from: config, to: config, before: { ready: 10 }, next: { ready }, watched: { watch: rollout.watch, versions }, ...change };
}

/** Plays a script: at each moment what is known, and what becomes of it. */
function play(plan: RolloutPlan, script: readonly (readonly [nowMs: number, ready: number, errors: number])[]): RolloutMove[] {
  let rollout = begun(plan);
  return script.flatMap(([nowMs, ready, errors]) => {
    const move = nextMove(rollout, known(rollout, ready, errors), nowMs);
    if (move === undefined) return [];
    rollout = move.rollout;
    return [move];
  });
}

const told = (moves: readonly RolloutMove[]) =>
  moves.map(({ rollout: { state }, split }) => [state.kind, 'step' in state ? state.step : undefined, split] as const);

test('a canary that does well goes from step to step, warmed before each', () => {
  const moves = play(canary, [
    [0, 0, 0],
    [500, 2, 0],
    [1_000, 3, 0],
    [1_500, 3, 0],
    [2_000, 3, 0],
    [2_500, 6, 0],
    [3_000, 8, 0],
    [4_999, 8, 0],
    [5_000, 8, 0],
    [5_500, 9, 0],
    [6_000, 10, 0],
    [6_500, 10, 0],
  ]);
  assert.deepEqual(told(moves), [
    ['warming', 0, allTo(1)],
    ['watching', 0, shareOf(2, 5, 1)],
    ['warming', 1, shareOf(2, 5, 1)],
    ['watching', 1, shareOf(2, 25, 1)],
    ['warming', 2, shareOf(2, 25, 1)],
    ['completed', undefined, allTo(2)],
  ]);
  assert.equal(moves[0]?.rollout.held, 10);
  const watches = moves.map(({ rollout }) => rollout.watch);
  assert.deepEqual(watches, [0, 1_000, 1_000, 3_000, 3_000, 3_000], 'each step is counted from zero');
});

test('a canary that does badly is rolled back with the reason, in the middle of a step', () => {
  const moves = play(canary, [
    [0, 0, 0],
    [500, 3, 0],
    [800, 3, 20],
    [900, 3, 20],
  ]);
  assert.deepEqual(told(moves).at(-1), ['rolled-back', undefined, allTo(1)]);
  assert.equal(moves.length, 3, 'once it is over nothing moves it');
  const state = moves.at(-1)?.rollout.state;
  assert.match(state?.kind === 'rolled-back' ? state.reason : '', /20 of 100 requests to version 2 failed/);
});

test('blue-green switches at once when all is warm, and the watch goes on', () => {
  const moves = play(blueGreen, [
    [0, 0, 0],
    [500, 9, 0],
    [1_000, 10, 0],
    [5_999, 10, 0],
    [6_000, 10, 0],
  ]);
  assert.deepEqual(told(moves), [
    ['warming', 0, allTo(1)],
    ['watching', 0, allTo(2)],
    ['completed', undefined, allTo(2)],
  ]);
  assert.deepEqual(new Set(moves.map(({ rollout }) => rollout.watch)), new Set([0]));
});

const warming: Rollout = { ...begun(canary), held: 10, state: { kind: 'warming', step: 0, sinceMs: 0 } };
const watching: Rollout = { ...begun(canary), held: 10, state: { kind: 'watching', step: 0, sinceMs: 0 } };
const initError = { code: 'InitError', detail: 'it threw' } as const;
const full = { code: 'TooManyRequests', detail: 'function "shop" runs its maximum' } as const;
const stays: [what: string, rollout: Rollout, facts: RolloutFacts, nowMs: number][] = [
  ['the agent is away when it begins', begun(canary), known(begun(canary), 0, 0, { before: undefined }), 9_999],
  ['the agent is away while it warms', warming, known(warming, 0, 0, { next: undefined }), 999_999],
  ['the gateway is away when a step is over', watching, known(watching, 9, 0, { watched: undefined }), 9_999],
  ['the gateway counts for another step still', watching, known({ ...watching, watch: 7 }, 9, 50), 9_999],
  ['a start that was put off is tried again', warming, known(warming, 0, 0, { next: { ready: 0, failure: full } }), 60_000],
];
for (const [what, rollout, facts, nowMs] of stays) {
  test(`it stays where it is when ${what}`, () => assert.equal(nextMove(rollout, facts, nowMs), undefined));
}

const fails: [what: string, facts: RolloutFacts, nowMs: number, reason: RegExp][] = [
  [
    'cannot initialise',
    known(warming, 0, 0, { next: { ready: 0, failure: initError } }),
    10,
    /^version 2 cannot start: InitError: it threw$/,
  ],
  [
    'is not warm in time',
    known(warming, 1),
    70_000,
    /^1 of 3 instances of version 2 were there after 70 s; the host has no room for more$/,
  ],
  ['has no room', known(warming, 1, 0, { next: { ready: 1, failure: full } }), 70_000, /after 70 s: function "shop" runs its maximum$/],
];
for (const [what, facts, nowMs, reason] of fails) {
  test(`a version that ${what} is rolled back`, () => {
    const state = nextMove(warming, facts, nowMs)?.rollout.state;
    assert.match(state?.kind === 'rolled-back' ? state.reason : '', reason);
  });
}

test('how far it is, as people are told', () => {
  const traffic = { ...firstTraffic(1, 0), rollout: watching };
  const { step, figures, state } = rolloutView(watching, traffic, known(watching, 3, 20).watched);
  assert.deepEqual([state, step], ['watching', { number: 1, of: 3, weight: 5, endsAt: '1970-01-01T00:00:01.000Z' }]);
  assert.deepEqual(figures, { from: { requests: 1_000, errors: 0 }, to: { requests: 100, errors: 20 }, verdict: 'worse' });
  assert.equal(rolloutView(watching, traffic, undefined).figures, undefined);
});
