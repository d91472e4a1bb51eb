/** How many instances of a new version a step of its rollout needs before it begins. Pure. */
import type { FunctionConfig } from '../model/function.ts';
import { isOver, type Rollout, stepsOf } from '../model/rollout.ts';

/** How far requests that come by chance stray from their mean, in standard deviations of a Poisson process: over it is one in a thousand moments. */
const deviations = 3;

type Room = Pick<FunctionConfig, 'concurrency' | 'maximum'>;

/**
 * Instances that take a share of what so many instances of the version before take: the mean, and what chance adds to it, but no more
 * than would take all of it.
 * @param held instances of the version before
 * @param weight per cent
 */
export function instancesFor(held: number, weight: number, from: Pick<Room, 'concurrency'>, to: Room): number {
  if (held === 0) return 0;
  const all = held * from.concurrency;
  const mean = (all * weight) / 100;
  const needed = Math.min(all, mean + deviations * Math.sqrt(mean));
  return Math.min(Math.ceil(needed / to.concurrency), roomFor(held, to));
}

/** Both versions together stay below the maximum. */
const roomFor = (held: number, to: Pick<Room, 'maximum'>): number => Math.max(1, to.maximum - held);

/** What the present step of a rollout needs of its new version: what its share of the requests takes, and of the instances that it is always to have. */
export function wantedWarm(
  { state, plan, held }: Pick<Rollout, 'state' | 'plan' | 'held'>,
  from: Pick<Room, 'concurrency'>,
  to: Room & Pick<FunctionConfig, 'minimum'>,
): number {
  if (isOver(state) || state.kind === 'started') return 0;
  const weight = stepsOf(plan)[state.step]?.weight ?? 0;
  const always = Math.min(Math.ceil((to.minimum * weight) / 100), roomFor(held, to));
  return Math.max(instancesFor(held, weight, from, to), always);
}
