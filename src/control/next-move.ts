/** What becomes of a rollout next. Pure: the state of the rollout, what is known of its versions, and the time decide. */
import { errorKinds } from '../model/errors.ts';
import type { FunctionConfig } from '../model/function.ts';
import { type Rollout, type RolloutState, stepsOf } from '../model/rollout.ts';
import { allTo, shareOf } from '../model/traffic.ts';
import type { Warmth } from '../wire/agent-calls.ts';
import type { VersionCounts, Watched } from '../wire/gateway-calls.ts';
import type { RolloutMove } from './traffic.ts';
import { judge, type Verdict } from './verdict.ts';
import { wantedWarm } from './warm-target.ts';

/** Beside the init of an instance: time to start all that a step needs. */
const warmLimitMs = 60_000;

/** What is known of the two versions; undefined while the role that knows it is away. */
export interface RolloutFacts {
  readonly from: FunctionConfig;
  readonly to: FunctionConfig;
  /** Instances of the version before. */
  readonly before: Warmth | undefined;
  readonly next: Warmth | undefined;
  readonly watched: Watched | undefined;
}

/** @returns undefined when it stays as it is */
export function nextMove(rollout: Rollout, facts: RolloutFacts, nowMs: number): RolloutMove | undefined {
  const { state } = rollout;
  switch (state.kind) {
    case 'started':
      return facts.before === undefined ? undefined : warm({ ...rollout, held: facts.before.ready }, 0, nowMs);
    case 'warming':
    case 'watching': {
      const verdict = verdictOf(rollout, facts.watched);
      if (verdict.kind === 'worse') return rollBack(rollout, verdict.reason, nowMs);
      return state.kind === 'warming' ? whileWarming(rollout, state, facts, nowMs) : whileWatching(rollout, state, facts, nowMs);
    }
    case 'completed':
    case 'rolled-back':
    case 'aborted':
      return undefined;
  }
}

/** How the new version does against the one before, as far as it can be said. */
export function verdictOf({ from, to, watch }: Rollout, watched: Watched | undefined): Verdict {
  if (watched?.watch !== watch) return { kind: 'unproven' };
  const countsOf = (version: number): VersionCounts | undefined => watched.versions.find((counts) => counts.version === version);
  const next = countsOf(to);
  return next === undefined ? { kind: 'unproven' } : judge(next, countsOf(from));
}

type In<Kind extends RolloutState['kind']> = Extract<RolloutState, { kind: Kind }>;

function whileWarming(rollout: Rollout, state: In<'warming'>, { from, to, next }: RolloutFacts, nowMs: number): RolloutMove | undefined {
  if (next === undefined) return undefined;
  const wanted = wantedWarm(rollout, from, to);
  if (next.ready >= wanted) return takeStep(rollout, state.step, nowMs);
  const { failure } = next;
  if (failure !== undefined && errorKinds[failure.code].fault === 'function')
    return rollBack(rollout, `version ${rollout.to} cannot start: ${failure.code}: ${failure.detail}`, nowMs);
  const limitMs = warmLimitMs + to.initTimeoutMs;
  if (nowMs - state.sinceMs < limitMs) return undefined;
  const why = failure === undefined ? '; the host has no room for more' : `: ${failure.detail}`;
  return rollBack(
    rollout,
    `${next.ready} of ${wanted} instances of version ${rollout.to} were there after ${limitMs / 1000} s${why}`,
    nowMs,
  );
}

function whileWatching(
  rollout: Rollout,
  { step, sinceMs }: In<'watching'>,
  { watched }: RolloutFacts,
  nowMs: number,
): RolloutMove | undefined {
  const steps = stepsOf(rollout.plan);
  // Nobody goes on blindly: without the gateway's figures a step lasts.
  if (nowMs - sinceMs < (steps[step]?.forMs ?? 0) || watched?.watch !== rollout.watch) return undefined;
  return step + 1 < steps.length ? warm(rollout, step + 1, nowMs) : complete(rollout, nowMs);
}

function warm(rollout: Rollout, step: number, nowMs: number): RolloutMove {
  const before = stepsOf(rollout.plan)[step - 1]?.weight;
  const split = before === undefined ? allTo(rollout.from) : shareOf(rollout.to, before, rollout.from);
  return { rollout: { ...rollout, state: { kind: 'warming', step, sinceMs: nowMs } }, split };
}

function takeStep(rollout: Rollout, step: number, nowMs: number): RolloutMove {
  const { weight = 100, forMs = 0 } = stepsOf(rollout.plan)[step] ?? {};
  if (weight === 100 && forMs === 0) return complete(rollout, nowMs);
  // After a switch at once only what was counted before can be compared with: the watch goes on.
  const watch = weight === 100 ? rollout.watch : nowMs;
  return {
    rollout: { ...rollout, watch, state: { kind: 'watching', step, sinceMs: nowMs } },
    split: shareOf(rollout.to, weight, rollout.from),
  };
}

const complete = (rollout: Rollout, atMs: number): RolloutMove => ({
  rollout: { ...rollout, state: { kind: 'completed', atMs } },
  split: allTo(rollout.to),
});

const rollBack = (rollout: Rollout, reason: string, atMs: number): RolloutMove => ({
  rollout: { ...rollout, state: { kind: 'rolled-back', atMs, reason } },
  split: allTo(rollout.from),
});
