/** How the number of a function's instances follows its load, in `swiftlet.yaml`. */
import { z } from 'zod';
import * as limits from '../model/limits.ts';
import { cronSchema, timeZoneSchema } from '../model/timer.ts';
import { countSchema, durationSchema, numberSchema } from './quantities.ts';

const scaleCount = (what: string) => countSchema(limits.instances).optional().describe(what);

export const scheduleEntrySchema = z.strictObject(
  {
    cron: cronSchema.describe('When it begins: minute, hour, day, month, weekday'),
    timeZone: timeZoneSchema.optional().describe('Like Europe/Berlin; default UTC'),
    for: durationSchema(limits.scaleScheduleMs).describe('For how long it holds'),
    minimum: scaleCount('Provisioned instances meanwhile, if that is more than usual'),
    maximum: countSchema({ ...limits.instances, min: 1 })
      .optional()
      .describe('Instances never exceeded meanwhile, if that is less than usual'),
    target: scaleCount('Instances meanwhile, whatever the load wants'),
  },
  'it has cron, for, one or more of minimum, maximum and target, and may have timeZone',
);

export const scaleSchema = z.strictObject(
  {
    concurrency: numberSchema(limits.scaleConcurrency)
      .optional()
      .describe('Requests at once that one instance takes; default: concurrency'),
    qps: numberSchema(limits.scaleQps).optional().describe('Requests a second that one instance takes'),
    cpu: numberSchema(limits.scalePercent).optional().describe('Per cent of one processor that one instance takes'),
    memory: numberSchema(limits.scalePercent).optional().describe('Per cent of its memory that one instance takes'),
    lag: numberSchema(limits.scaleLag).optional().describe('Messages of its sources, waiting or being worked on, for one instance'),
    outAt: numberSchema(limits.scaleOutAtPercent).optional().describe('At how many per cent of that instances are added; default 70'),
    window: durationSchema(limits.scaleWindowMs).optional().describe('Over how long the load is averaged; default 60 s'),
    burstWindow: durationSchema(limits.scaleBurstWindowMs)
      .optional()
      .describe('The shorter time that counts if it has more load; default 6 s'),
    factor: numberSchema(limits.scaleFactor).optional().describe('How many times as many there may be a second later; default 2'),
    delay: durationSchema(limits.scaleDelayMs)
      .optional()
      .describe('For how long fewer must have been enough before there are fewer, and one too many may rest; default 60 s'),
    initial: scaleCount('Instances that a new version starts with; default 0'),
    schedules: z.array(scheduleEntrySchema, 'it is a list of schedules').optional().describe('Other numbers at certain times'),
  },
  'it has the keys concurrency, qps, cpu, memory, lag, outAt, window, burstWindow, factor, delay, initial and schedules',
);
