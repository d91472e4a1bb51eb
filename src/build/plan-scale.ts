/** How a function scales, from how the manifest writes it to how its configuration has it. */
import type { z } from 'zod';
import type { scaleSchema as configured } from '../model/scale.ts';
import type { scaleSchema } from './scale-entry-schema.ts';

type ScaleEntry = Partial<z.output<typeof scaleSchema>>;

export function planScale(entry: ScaleEntry): z.input<typeof configured> {
  const { concurrency, qps, cpu, memory, lag, outAt, window, burstWindow, factor, delay, initial, schedules = [] } = entry;
  return {
    thresholds: { concurrency, qps, cpu, memory, lag },
    outAtPercent: outAt,
    windowMs: window,
    burstWindowMs: burstWindow,
    factor,
    delayMs: delay,
    initial,
    schedules: schedules.map(({ cron, for: forMs, ...rest }) => ({ expression: cron, forMs, ...rest })),
  };
}

/** Where the manifest has what the configuration has there. */
export const scalePlace = (path: readonly string[]): string[] => path.filter((part) => part !== 'thresholds');
