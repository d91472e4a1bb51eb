/** Pages of Lambda's lists. Pure. */
import { LambdaError } from '../../lambda/lambda-error.ts';
import { textIn } from './operation.ts';

const mostAsked = 10_000;
/** Lambda gives no more at once. */
const mostGiven = 50;

export interface PageWish {
  readonly limit: number;
  /** The last of the page before. */
  readonly after: string | undefined;
}

/** @param most of one page @throws LambdaError ValidationException */
export function pageOf(query: unknown, most = mostGiven): PageWish {
  const limit = Number(textIn(query, 'MaxItems') ?? most);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostAsked)
    throw new LambdaError('ValidationException', `Value at 'maxItems' failed to satisfy constraint: Member must be from 1 to ${mostAsked}`);
  return { limit: Math.min(limit, most), after: textIn(query, 'Marker') };
}

/** One page of a list that is there whole. @param keyOf names each of them, in the order of the list */
export function cut<T>(
  all: readonly T[],
  { limit, after }: PageWish,
  keyOf: (one: T) => string,
): { page: readonly T[]; next: string | undefined } {
  const from = after === undefined ? 0 : all.findIndex((one) => keyOf(one) === after) + 1;
  const page = all.slice(from, from + limit);
  const last = page.at(-1);
  return { page, next: from + limit < all.length && last !== undefined ? keyOf(last) : undefined };
}
