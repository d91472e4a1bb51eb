/** One thing that a filter pattern accepts in the place of a value, with Lambda's operators. */
import { z } from 'zod';

const lowerBounds = ['>', '>='] as const;
const upperBounds = ['<', '<='] as const;

/** `["=", 5]`, or one or both ends of a range: `[">", 0, "<=", 5]`. */
const numericSchema = z.union([
  z.tuple([z.enum(['=', ...lowerBounds, ...upperBounds]), z.number()]),
  z.tuple([z.enum(lowerBounds), z.number(), z.enum(upperBounds), z.number()]).refine(([, from, , to]) => from <= to),
]);

const anythingButSchema = z.union([
  z.array(z.union([z.string(), z.number()])).min(1),
  z.string(),
  z.number(),
  z.strictObject({ prefix: z.string().min(1) }),
]);

export const conditionRule =
  'it is a value (text, a number, true, false, null), or an object with one of prefix, suffix, equals-ignore-case, exists, numeric ([">", 0, "<=", 5]) and anything-but';

export const conditionSchema = z.union(
  [
    z.union([z.string(), z.number(), z.boolean(), z.null()]),
    z.strictObject({ prefix: z.string() }),
    z.strictObject({ suffix: z.string() }),
    z.strictObject({ 'equals-ignore-case': z.string() }),
    z.strictObject({ exists: z.boolean() }),
    z.strictObject({ numeric: numericSchema }),
    z.strictObject({ 'anything-but': anythingButSchema }),
  ],
  conditionRule,
);
export type Condition = z.output<typeof conditionSchema>;

/** @param found what the record has there; undefined when it has nothing */
export function meets(condition: Condition, found: unknown): boolean {
  if (typeof condition === 'object' && condition !== null && 'exists' in condition) return condition.exists === isLeaf(found);
  // Of a list in the record, one element is enough.
  if (Array.isArray(found)) return found.some((one) => meetsValue(condition, one));
  return found !== undefined && meetsValue(condition, found);
}

/** Whether something is there is asked of values only, and not of objects. */
const isLeaf = (found: unknown): boolean => found !== undefined && (typeof found !== 'object' || found === null || Array.isArray(found));

function meetsValue(condition: Condition, value: unknown): boolean {
  if (typeof condition !== 'object' || condition === null) return condition === value;
  if ('prefix' in condition) return typeof value === 'string' && value.startsWith(condition.prefix);
  if ('suffix' in condition) return typeof value === 'string' && value.endsWith(condition.suffix);
  if ('equals-ignore-case' in condition)
    return typeof value === 'string' && value.toLowerCase() === condition['equals-ignore-case'].toLowerCase();
  if ('numeric' in condition) return typeof value === 'number' && isInRange(condition.numeric, value);
  return 'anything-but' in condition && isAnythingBut(condition['anything-but'], value);
}

type Bound = '=' | (typeof lowerBounds)[number] | (typeof upperBounds)[number];

const compares: Readonly<Record<Bound, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

const isInRange = ([first, from, second, to]: z.output<typeof numericSchema>, value: number): boolean =>
  compares[first](value, from) && (second === undefined || to === undefined || compares[second](value, to));

function isAnythingBut(excluded: z.output<typeof anythingButSchema>, value: unknown): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  if (Array.isArray(excluded)) return !excluded.includes(value);
  if (typeof excluded === 'object') return typeof value === 'string' && !value.startsWith(excluded.prefix);
  return value !== excluded;
}
