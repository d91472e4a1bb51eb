/** Splits and rollouts in words. */
import type { Split } from '../model/traffic.ts';
import type { RolloutView } from '../wire/traffic-answers.ts';
import { printable } from './printable.ts';

/** Like `version 3 (95 %), version 4 (5 %)`. */
export const splitText = (split: Split): string =>
  split.length === 1
    ? `version ${split[0]?.version ?? ''}`
    : split.map(({ version, weight }) => `version ${version} (${weight} %)`).join(', ');

/** A rollout as rows of a table. */
export function rolloutRows(rollout: RolloutView): string[][] {
  const { from, to, plan, startedAt, live, figures, reason, endedAt } = rollout;
  const counted = figures === undefined ? [] : [[from, figures.from] as const, [to, figures.to] as const];
  return [
    ['rollout', `version ${from} to version ${to}, ${plan.strategy}`],
    ['state', stateText(rollout)],
    ...(reason === undefined ? [] : [['reason', printable(reason)]]),
    ['live', splitText(live)],
    ['started', startedAt],
    ...(endedAt === undefined ? [] : [['ended', endedAt]]),
    ...counted.map(([version, { requests, errors }]) => [`version ${version}`, `${requests} requests in this step, ${errors} failed`]),
    ...(figures === undefined ? [] : [['verdict', verdictTexts[figures.verdict]]]),
  ];
}

const verdictTexts = {
  unproven: 'too few requests to tell',
  good: 'no worse than the version before',
  worse: 'worse than the version before',
} as const;

function stateText({ state, step, to }: RolloutView): string {
  if (step === undefined) return state;
  const which = `step ${step.number} of ${step.of} (${step.weight} %)`;
  return state === 'warming' ? `warming version ${to} for ${which}` : `${which} until ${step.endsAt ?? ''}`;
}
