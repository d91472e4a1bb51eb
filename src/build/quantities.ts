/** Durations and sizes as people write them. */
import { z } from 'zod';

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const sizeUnits: Readonly<Record<string, number>> = { '': 1, mb: 1, mib: 1, m: 1, gb: 1024, gib: 1024, g: 1024 };

/** `3s`, `500ms`, `2m`, or a number of seconds; gives milliseconds. */
export const durationSchema = z
  .union([
    z.number().nonnegative(),
    z.string().regex(/^\d+(\.\d+)?\s*(ms|s|m|h)$/, 'a duration is a number of seconds, or a number with a unit: 500ms, 3s, 2m, 1h'),
  ])
  .meta({ description: 'A duration: seconds, or a number with ms, s, m or h' })
  .transform((value) => {
    if (typeof value === 'number') return Math.round(value * 1_000);
    const unit = /[a-z]+$/.exec(value)?.[0] ?? 's';
    return Math.round(Number.parseFloat(value) * (durationUnits[unit] ?? 1));
  });

/** `256`, `"256MiB"`, `"1GiB"`; gives MiB. */
export const memorySchema = z
  .union([
    z.number().int().positive(),
    z.string().regex(/^\d+\s*(mb|mib|m|gb|gib|g)?$/i, 'memory is a number of MiB, or a number with a unit: 256MiB, 1GiB'),
  ])
  .meta({ description: 'Memory: MiB, or a number with MiB or GiB' })
  .transform((value) => {
    if (typeof value === 'number') return value;
    const unit = (/[a-z]+$/i.exec(value)?.[0] ?? '').toLowerCase();
    return Number.parseInt(value, 10) * (sizeUnits[unit] ?? 1);
  });
