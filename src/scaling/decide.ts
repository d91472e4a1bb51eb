/**
 * How many instances a version is to have. Pure: what is known, what was decided before and the time give the number, and why it is that.
 *
 * The number is a target above one. From none to the first, requests that wait start what they need (gateway/instances/activate.ts), and the last
 * one goes after its idle time (agent/rest.ts): a target of 0 says that the autoscaler leaves it to them.
 */
import type { FunctionConfig } from '../model/function.ts';
import type { ScaleConfig, ScaleSchedule } from '../model/scale.ts';
import type { ScaleLimit } from '../model/scale-limit.ts';
import type { Load } from './load-history.ts';
import { type Wanted, wantedOf } from './wanted.ts';

export interface ScaleDecision {
  /** Instances to have; 0 leaves the number to those who wait and to the idle time. */
  readonly target: number;
  /** Instances that are provisioned now. */
  readonly minimum: number;
  /** Instances never exceeded now. */
  readonly maximum: number;
  /** What the load wants. */
  readonly wanted: Wanted;
  /** Absent when the target is what the load wants. */
  readonly limitedBy: ScaleLimit | undefined;
}

export interface ScaleFacts {
  readonly config: Pick<FunctionConfig, 'scale' | 'concurrency' | 'minimum' | 'maximum' | 'idleMs' | 'process'>;
  readonly load: Load;
  /** Requests under way or waiting, now. */
  readonly inFlight: number;
  /** Since when there has been none, and no message that waits. */
  readonly quietForMs: number;
  /** Instances there are. */
  readonly running: number;
  /** Since when there is this version. */
  readonly ageMs: number;
  /** The schedule that is in force. */
  readonly schedule: ScaleSchedule | undefined;
}

/** What was wanted, and how long it holds. */
interface High {
  readonly instances: number;
  readonly untilMs: number;
}

/** What a decision needs of those before it. */
export interface ScaleMemory {
  readonly target: number;
  readonly highs: readonly High[];
}

export const noMemory: ScaleMemory = { target: 0, highs: [] };

/** @param nowMs of any clock that goes on steadily */
export function decideScale(
  before: ScaleMemory,
  facts: ScaleFacts,
  nowMs: number,
): { readonly memory: ScaleMemory; readonly decision: ScaleDecision } {
  const { config, schedule } = facts;
  const wanted = wantedOf(facts.load, config.scale, config.concurrency);
  const maximum = Math.min(config.maximum, schedule?.maximum ?? config.maximum);
  const minimum = Math.min(Math.max(config.minimum, schedule?.minimum ?? 0), maximum);
  const highs = noted(before.highs, wanted, config.scale, nowMs);
  const { instances, limitedBy } = bounded(facts, wanted, mostOf(highs), before.target, maximum);
  // One instance is what those who wait start by themselves.
  const isLeft = instances <= 1 && limitedBy !== 'schedule' && limitedBy !== 'initial';
  const target = Math.min(isLeft ? 0 : instances, maximum);
  const isToldWhy = !isLeft || limitedBy === 'idle' || limitedBy === 'one-shot';
  const limit = target < minimum ? 'minimum' : isToldWhy ? limitedBy : undefined;
  return {
    memory: { target, highs },
    decision: { target: Math.max(target, minimum), minimum, maximum, wanted, limitedBy: limit },
  };
}

interface Bounded {
  readonly instances: number;
  readonly limitedBy: ScaleLimit | undefined;
}

/** The wanted number within its limits, and the last of them that changed it. */
function bounded(facts: ScaleFacts, wanted: Wanted, lately: number, target: number, maximum: number): Bounded {
  const { config, schedule, running, inFlight, quietForMs, ageMs } = facts;
  const { scale, concurrency, idleMs, process } = config;
  if (schedule?.target !== undefined) return { instances: schedule.target, limitedBy: 'schedule' };
  if (process === 'one-shot') return { instances: 0, limitedBy: 'one-shot' };
  if (ageMs < scale.windowMs && scale.initial > Math.max(wanted.instances, lately))
    return { instances: scale.initial, limitedBy: 'initial' };
  if (inFlight === 0 && quietForMs >= idleMs) return { instances: 0, limitedBy: wanted.instances > 0 ? 'idle' : undefined };
  const steps = Math.ceil(Math.max(1, running, target) * scale.factor);
  const inUse = Math.min(running, Math.ceil(inFlight / concurrency));
  let result: Bounded = { instances: wanted.instances, limitedBy: undefined };
  if (lately > result.instances) result = { instances: lately, limitedBy: 'delay' };
  if (steps < result.instances) result = { instances: steps, limitedBy: 'factor' };
  if (inUse > result.instances) result = { instances: inUse, limitedBy: 'in flight' };
  return maximum < result.instances ? { instances: maximum, limitedBy: 'maximum' } : result;
}

/**
 * With the newest, without what holds no longer or is outdone by it. What a burst wanted holds until the long window has seen as much:
 * else the number would fall when the burst is none any more beside that window, and rise again with it.
 */
function noted(highs: readonly High[], { instances, window }: Wanted, { delayMs, windowMs }: ScaleConfig, nowMs: number): High[] {
  const untilMs = nowMs + (window === 'burst' ? Math.max(delayMs, windowMs) : delayMs);
  const kept = highs.filter((high) => high.untilMs >= nowMs && (high.instances > instances || high.untilMs > untilMs));
  return [...kept, { instances, untilMs }];
}

const mostOf = (highs: readonly High[]): number => highs.reduce((most, { instances }) => Math.max(most, instances), 0);
