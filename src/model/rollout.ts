/** How a new version takes over from the one before, and how far it has come. */
import { z } from 'zod';
import { rolloutKeepMs, rolloutStepMs, rolloutSteps } from './limits.ts';
import { stickySchema, weightSchema } from './traffic.ts';

const duration = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max);

/** A share of the requests, and for how long the new version is watched with it. */
export const rolloutStepSchema = z.strictObject({ weight: weightSchema, forMs: duration(rolloutStepMs) });
export type RolloutStep = z.output<typeof rolloutStepSchema>;

const defaultSteps: RolloutStep[] = [
  { weight: 5, forMs: 60_000 },
  { weight: 25, forMs: 300_000 },
];

const allAtOnce = z.strictObject({ strategy: z.literal('all-at-once') });
const canary = z.strictObject({
  strategy: z.literal('canary'),
  /** The shares before the whole. */
  steps: z
    .array(rolloutStepSchema)
    .min(1)
    .max(rolloutSteps)
    .refine(
      (steps) => steps.every(({ weight }, at) => weight < 100 && weight > (steps[at - 1]?.weight ?? 0)),
      'weights rise from step to step and stay below 100, which comes by itself at the end',
    )
    .default(defaultSteps),
  sticky: stickySchema.optional(),
});
const blueGreen = z.strictObject({
  strategy: z.literal('blue-green'),
  /** How long the version before is kept warm after the switch, and the new one watched. */
  keepMs: duration(rolloutKeepMs).default(rolloutKeepMs.default),
});

export const rolloutStrategies = ['all-at-once', 'canary', 'blue-green'] as const;
export const rolloutPlanSchema = z.discriminatedUnion('strategy', [allAtOnce, canary, blueGreen]);
export type RolloutPlan = z.output<typeof rolloutPlanSchema>;
export const defaultPlan = { strategy: 'all-at-once' } as const satisfies RolloutPlan;

/** The steps of a plan, the last of which gives the new version everything. */
export function stepsOf(plan: RolloutPlan): readonly RolloutStep[] {
  if (plan.strategy === 'canary') return [...plan.steps, { weight: 100, forMs: 0 }];
  return [{ weight: 100, forMs: plan.strategy === 'blue-green' ? plan.keepMs : 0 }];
}

const ms = z.int();
const step = z.int().min(0);

/** Times are milliseconds since 1970. */
export const rolloutStateSchema = z.discriminatedUnion('kind', [
  /** Nobody has looked yet how many instances the version before has. */
  z.object({ kind: z.literal('started') }),
  /** Instances of the new version start for what this step will give it. */
  z.object({ kind: z.literal('warming'), step, sinceMs: ms }),
  /** The step is in force. */
  z.object({ kind: z.literal('watching'), step, sinceMs: ms }),
  z.object({ kind: z.literal('completed'), atMs: ms }),
  /** By itself: the new version was worse, or could not start. */
  z.object({ kind: z.literal('rolled-back'), atMs: ms, reason: z.string() }),
  /** By hand. */
  z.object({ kind: z.literal('aborted'), atMs: ms }),
]);
export type RolloutState = z.output<typeof rolloutStateSchema>;

export const rolloutSchema = z.object({
  from: z.int().min(1),
  to: z.int().min(1),
  plan: rolloutPlanSchema,
  startedMs: ms,
  /** Instances that the version before had: they are kept until the end, so that nobody waits after a return. */
  held: z.int().min(0),
  /** Names what is counted of the versions: figures of another watch say nothing about this step. */
  watch: z.int(),
  state: rolloutStateSchema,
});
export type Rollout = z.output<typeof rolloutSchema>;

type Ended = Extract<RolloutState, { kind: 'completed' | 'rolled-back' | 'aborted' }>;
export const isOver = (state: RolloutState): state is Ended =>
  state.kind === 'completed' || state.kind === 'rolled-back' || state.kind === 'aborted';
