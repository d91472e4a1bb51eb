/**
 * Which messages of a source are wanted. Patterns are those of Lambda's event filtering: an object like the record, with a list of
 * what is accepted in the place of each value; a list of patterns as `$or`, of which one is enough.
 */
import { z } from 'zod';
import { type Condition, conditionRule, conditionSchema, meets } from './filter-condition.ts';
import { filterPattern as limits } from './limits.ts';

/** Says whether a record is wanted. */
export type Filter = (record: unknown) => boolean;

const either = '$or';

type Path = readonly (string | number)[];

/** What is wrong with a pattern, and where. */
class PatternFault extends Error {
  readonly path: Path;

  constructor(path: Path, what: string) {
    super(what);
    this.path = path;
  }
}

/** A pattern that can be understood. */
export const filterPatternSchema = z.record(z.string(), z.unknown(), 'a pattern is an object').superRefine((pattern, context) => {
  try {
    if (JSON.stringify(pattern).length > limits.maxLength) throw new PatternFault([], `it has more than ${limits.maxLength} characters`);
    compile(pattern, []);
  } catch (error) {
    if (!(error instanceof PatternFault)) throw error;
    context.addIssue({ code: 'custom', path: [...error.path], message: error.message });
  }
});
export type FilterPattern = z.output<typeof filterPatternSchema>;

/** @param patterns that were parsed; one of them is enough, and when there are none everything is wanted */
export function filterOf(patterns: readonly FilterPattern[]): Filter {
  const filters = patterns.map((pattern) => compile(pattern, []));
  return (record) => filters.length === 0 || filters.some((filter) => filter(record));
}

/** @throws PatternFault */
function compile(pattern: unknown, path: Path): Filter {
  if (!isObject(pattern)) throw new PatternFault(path, 'it is an object');
  if (path.length > limits.maxDepth) throw new PatternFault(path, `it is more than ${limits.maxDepth} levels deep`);
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new PatternFault(path, 'it has nothing in it, and would want everything; leave it out');
  const parts = entries.map(([key, value]) => (key === either ? anyOf(value, [...path, key]) : member(key, value, [...path, key])));
  return (record) => parts.every((part) => part(record));
}

function anyOf(patterns: unknown, path: Path): Filter {
  if (!Array.isArray(patterns) || patterns.length === 0) throw new PatternFault(path, 'it is a list of patterns');
  const filters = patterns.map((pattern: unknown, at) => compile(pattern, [...path, at]));
  return (record) => filters.some((filter) => filter(record));
}

function member(key: string, value: unknown, path: Path): Filter {
  if (Array.isArray(value)) {
    const conditions = conditionsOf(value, path);
    return (record) => {
      const found = memberOf(record, key);
      return conditions.some((condition) => meets(condition, found));
    };
  }
  if (!isObject(value)) throw new PatternFault(path, 'it is a list of what is accepted, such as ["new"], or an object');
  const filter = compile(value, path);
  return (record) => filter(memberOf(record, key));
}

function conditionsOf(values: readonly unknown[], path: Path): Condition[] {
  if (values.length === 0) throw new PatternFault(path, 'it is a list of at least one thing that is accepted');
  return values.map((value, at) => {
    const parsed = conditionSchema.safeParse(value);
    if (!parsed.success) throw new PatternFault([...path, at], conditionRule);
    return parsed.data;
  });
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Own members only: what every object has by nature is in no record. */
const memberOf = (value: unknown, key: string): unknown => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined);
