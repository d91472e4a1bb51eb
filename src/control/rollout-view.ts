/** A rollout as it is told to people and programs. Pure. */
import { isOver, type Rollout, stepsOf } from '../model/rollout.ts';
import type { VersionCounts, Watched } from '../wire/gateway-calls.ts';
import type { RolloutView } from '../wire/traffic-answers.ts';
import { verdictOf } from './next-move.ts';
import type { Traffic } from './traffic.ts';

/** @param watched what the gateway counted, when it tells */
export function rolloutView(rollout: Rollout, { live }: Traffic, watched: Watched | undefined): RolloutView {
  const { from, to, plan, state, startedMs } = rollout;
  return {
    from,
    to,
    plan,
    startedAt: timeOf(startedMs),
    state: state.kind,
    live: live.versions,
    step: stepView(rollout),
    endedAt: isOver(state) ? timeOf(state.atMs) : undefined,
    reason: state.kind === 'rolled-back' ? state.reason : undefined,
    figures: isOver(state) || watched?.watch !== rollout.watch ? undefined : figuresOf(rollout, watched),
  };
}

function stepView({ plan, state }: Rollout): RolloutView['step'] {
  if (state.kind !== 'warming' && state.kind !== 'watching') return undefined;
  const steps = stepsOf(plan);
  const { weight = 100, forMs = 0 } = steps[state.step] ?? {};
  const endsAt = state.kind === 'watching' ? timeOf(state.sinceMs + forMs) : undefined;
  return { number: state.step + 1, of: steps.length, weight, endsAt };
}

function figuresOf(rollout: Rollout, watched: Watched): RolloutView['figures'] {
  const countsOf = (version: number): Pick<VersionCounts, 'requests' | 'errors'> => {
    const { requests = 0, errors = 0 } = watched.versions.find((counts) => counts.version === version) ?? {};
    return { requests, errors };
  };
  return { from: countsOf(rollout.from), to: countsOf(rollout.to), verdict: verdictOf(rollout, watched).kind };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
