/** How a rollout is described on the command line. */
import { z } from 'zod';
import { durationSchema } from '../build/quantities.ts';
import { SwiftletError } from '../model/errors.ts';
import { rolloutKeepMs, rolloutStepMs } from '../model/limits.ts';
import { type RolloutPlan, rolloutPlanSchema } from '../model/rollout.ts';
import { type Split, splitSchema, type Sticky, stickySchema } from '../model/traffic.ts';

export interface StickyFlags {
  readonly stickyHeader?: string;
  readonly stickyCookie?: string;
}

export interface RolloutFlags extends StickyFlags {
  /** Absent: as the version’s configuration says. */
  readonly strategy?: string;
  /** Like `5:1m,25:5m`. */
  readonly steps?: string;
  readonly keep?: string;
}

/** @throws SwiftletError BadRequest @returns undefined when nothing was said about it */
export function planOf({ strategy, steps, keep, ...sticky }: RolloutFlags): RolloutPlan | undefined {
  const stickyBy = stickyOf(sticky);
  const isCanary = steps !== undefined || stickyBy !== undefined;
  const named = strategy ?? (isCanary ? 'canary' : keep === undefined ? undefined : 'blue-green');
  if (named === undefined) return undefined;
  const plan = {
    strategy: named,
    ...(steps === undefined ? {} : { steps: steps.split(',').map(stepOf) }),
    ...(keep === undefined ? {} : { keepMs: parsed(durationSchema(rolloutKeepMs), asTold(keep), '--keep') }),
    ...(stickyBy === undefined ? {} : { sticky: stickyBy }),
  };
  return parsed(rolloutPlanSchema, plan, 'the rollout');
}

/** @throws SwiftletError BadRequest */
export function stickyOf({ stickyHeader, stickyCookie }: StickyFlags): Sticky | undefined {
  if (stickyHeader !== undefined && stickyCookie !== undefined)
    throw new SwiftletError('BadRequest', 'say --sticky-header or --sticky-cookie, not both');
  if (stickyHeader !== undefined) return parsed(stickySchema, { header: stickyHeader.toLowerCase() }, '--sticky-header');
  return stickyCookie === undefined ? undefined : parsed(stickySchema, { cookie: stickyCookie }, '--sticky-cookie');
}

/** Versions as `3` or `3=95 4=5`. @throws SwiftletError BadRequest */
export function splitOf(words: readonly string[]): Split {
  const parts = words.map((word) => {
    const [version = '', weight = words.length === 1 ? '100' : ''] = word.split('=');
    if (!/^\d+$/.test(version) || !/^\d+(\.\d+)?%?$/.test(weight))
      throw new SwiftletError('BadRequest', `"${word}" is no version with a weight; write 3, or 3=95 4=5 for several`);
    return { version: Number(version), weight: Number(weight.replace('%', '')) };
  });
  return parsed(splitSchema, parts, 'the alias');
}

function stepOf(text: string): unknown {
  const [weight = '', time = ''] = text.split(':');
  if (!/^\d+(\.\d+)?%?$/.test(weight) || time === '')
    throw new SwiftletError('BadRequest', `--steps: "${text}" is no step; write weight:time, such as 5:1m,25:5m`);
  return { weight: Number(weight.replace('%', '')), forMs: parsed(durationSchema(rolloutStepMs), asTold(time), '--steps') };
}

/** A number stands for seconds. */
const asTold = (text: string): string | number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);

function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join('.') ?? '';
  throw new SwiftletError('BadRequest', `${what}: ${place === '' ? '' : `${place}: `}${issue?.message ?? z.prettifyError(result.error)}`);
}
