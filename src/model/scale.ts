/** How the number of a function's instances follows its load. */
import { z } from 'zod';
import * as limits from './limits.ts';
import { cronSchema, timeZoneSchema } from './timer.ts';

/** What may say how many instances are wanted. */
export const scaleSignals = ['concurrency', 'qps', 'cpu', 'memory', 'lag'] as const;
export type ScaleSignal = (typeof scaleSignals)[number];

const count = z.int().min(0).max(limits.instances.max);
const ranged = ({ min, max }: { readonly min: number; readonly max: number }) => z.number().min(min).max(max);

/** What one instance takes of each signal; the largest number that any of them wants holds. */
const thresholdsSchema = z
  .strictObject({
    /** Requests at once; without any signal named it is the function's own concurrency. */
    concurrency: ranged(limits.scaleConcurrency).optional(),
    /** Requests that begin in a second. */
    qps: ranged(limits.scaleQps).optional(),
    /** Per cent of one processor. */
    cpu: ranged(limits.scalePercent).optional(),
    /** Per cent of the instance's memory. */
    memory: ranged(limits.scalePercent).optional(),
    /** Messages of its sources that wait or are being worked on. */
    lag: ranged(limits.scaleLag).optional(),
  })
  .default({});

/** For a while after each time that a clock names, other numbers hold. */
const scheduleSchema = z
  .strictObject({
    expression: cronSchema,
    timeZone: timeZoneSchema.default('UTC'),
    forMs: z.int().min(limits.scaleScheduleMs.min).max(limits.scaleScheduleMs.max),
    /** Provisioned instances. */
    minimum: count.optional(),
    /** Instances never exceeded. */
    maximum: count.min(1).optional(),
    /** Instances instead of what the load wants. */
    target: count.optional(),
  })
  .refine(({ minimum, maximum, target }) => (minimum ?? maximum ?? target) !== undefined, 'it has one of minimum, maximum and target')
  .refine(({ minimum = 0, maximum }) => maximum === undefined || minimum <= maximum, 'its minimum is above its maximum');
export type ScaleSchedule = z.output<typeof scheduleSchema>;

export const scaleSchema = z.strictObject({
  thresholds: thresholdsSchema,
  /** Instances are added when those there are have more than so many per cent of what they take. */
  outAtPercent: ranged(limits.scaleOutAtPercent).default(limits.scaleOutAtPercent.default),
  /** Load is the mean of this time, or of the burst's time if that is more. */
  windowMs: z.int().min(limits.scaleWindowMs.min).max(limits.scaleWindowMs.max).default(limits.scaleWindowMs.default),
  burstWindowMs: z.int().min(limits.scaleBurstWindowMs.min).max(limits.scaleBurstWindowMs.max).default(limits.scaleBurstWindowMs.default),
  /** From one second to the next the number becomes at most so many times as large. */
  factor: ranged(limits.scaleFactor).default(limits.scaleFactor.default),
  /** The number falls when less has been wanted for so long; an instance that is too many is ended when it has rested for so long. */
  delayMs: z.int().min(limits.scaleDelayMs.min).max(limits.scaleDelayMs.max).default(limits.scaleDelayMs.default),
  /** Instances of a new version, for the time of the window after it was made. */
  initial: count.default(0),
  schedules: z.array(scheduleSchema).max(limits.maxScaleSchedules).default([]),
});
export type ScaleConfig = z.output<typeof scaleSchema>;

/**
 * How many requests at once an instance is to have before the next one gets some: as many as the autoscaler counts on. Where other signals say
 * how many instances there are, requests do not tell what one takes, and each gets as few as can be.
 */
export function fillMark({
  scale: { thresholds, outAtPercent },
  concurrency,
}: {
  readonly scale: ScaleConfig;
  readonly concurrency: number;
}): number {
  const isSilent = scaleSignals.every((signal) => thresholds[signal] === undefined);
  const threshold = Math.min(concurrency, thresholds.concurrency ?? (isSilent ? concurrency : 0));
  return Math.max(1, Math.ceil((threshold * outAtPercent) / 100));
}
