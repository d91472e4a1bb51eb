/** Durations, sizes and counts as people write them. A value out of its range is refused here, where its place is still known. */
import { z } from 'zod';

export interface Range {
  readonly min: number;
  readonly max: number;
}

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const sizeUnits: Readonly<Record<string, number>> = { '': 1, mb: 1, mib: 1, m: 1, gb: 1024, gib: 1024, g: 1024 };

/** A value in a message, not at length. */
const shown = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value));

const noDuration = {
  error: ({ input }: { input?: unknown }) =>
    `${shown(input)} is no duration: it is a number of seconds, or a number with a unit: 500ms, 3s, 2m, 1h`,
};
const noMemory = {
  error: ({ input }: { input?: unknown }) =>
    `${shown(input)} is no size of memory: it is a whole number of MiB, or one with a unit: 256MiB, 1GiB`,
};

/** `3s`, `500ms`, `2m`, or a number of seconds; gives milliseconds. @param range in milliseconds */
export const durationSchema = (range: Range) =>
  z.union([z.number(), z.string().regex(/^\d+(\.\d+)?\s*(ms|s|m|h)$/, noDuration)], noDuration).transform((value, context) => {
    const unit = typeof value === 'number' ? 's' : (/[a-z]+$/.exec(value)?.[0] ?? 's');
    const ms = Math.round(Number.parseFloat(String(value)) * (durationUnits[unit] ?? 1));
    if (ms >= range.min && ms <= range.max) return ms;
    const written = typeof value === 'number' ? `${value}s` : value;
    context.addIssue(`${written} is out of range: it is from ${durationText(range.min)} to ${durationText(range.max)}`);
    return z.NEVER;
  });

/** `256`, `"256MiB"`, `"1GiB"`; gives MiB. @param range in MiB */
export const memorySchema = (range: Range) =>
  z
    .union(
      [
        z.int().meta({ minimum: range.min, maximum: range.max }),
        z.string().regex(/^\d+\s*([mM]([iI]?[bB])?|[gG]([iI]?[bB])?)?$/, noMemory),
      ],
      noMemory,
    )
    .transform((value, context) => {
      const unit = (/[a-z]+$/i.exec(String(value))?.[0] ?? '').toLowerCase();
      const mebibytes = Number.parseInt(String(value), 10) * (sizeUnits[unit] ?? 1);
      if (mebibytes >= range.min && mebibytes <= range.max) return mebibytes;
      const written = typeof value === 'number' ? `${value} MiB` : value;
      context.addIssue(`${written} is out of range: it is from ${range.min} to ${range.max} MiB`);
      return z.NEVER;
    });

const byteUnits: Readonly<Record<string, number>> = { b: 1, kb: 1_024, kib: 1_024, k: 1_024, mb: 1_048_576, mib: 1_048_576, m: 1_048_576 };

/** `512`, `"64KiB"`, `"1MiB"`; gives bytes. @param range in bytes */
export const bytesSchema = (range: Range) => {
  const rule = 'it is a number of bytes, or one with a unit: 64KiB, 1MiB';
  return z.union([z.int(), z.string().regex(/^\d+\s*(b|[km](i?b)?)?$/i, rule)], rule).transform((value, context) => {
    const unit = (/[a-z]+$/i.exec(String(value))?.[0] ?? 'b').toLowerCase();
    const bytes = Number.parseInt(String(value), 10) * (byteUnits[unit] ?? 1);
    if (bytes >= range.min && bytes <= range.max) return bytes;
    context.addIssue(`${shown(value)} is out of range: it is from ${range.min} to ${range.max} bytes`);
    return z.NEVER;
  });
};

/** A whole number. */
export const countSchema = ({ min, max }: Range) => {
  const rule = `it is a whole number from ${min} to ${max}`;
  return z.int(rule).min(min, rule).max(max, rule);
};

/** A number, whole or not. */
export const numberSchema = ({ min, max }: Range) => {
  const rule = `it is a number from ${min} to ${max}`;
  return z.number(rule).min(min, rule).max(max, rule);
};

/** In the largest unit that gives a whole number. */
function durationText(ms: number): string {
  const [unit, factor] = Object.entries(durationUnits).findLast(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1];
  return `${ms / factor}${unit}`;
}
