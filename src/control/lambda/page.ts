/** Pages of Lambda's lists. Pure. */
import { LambdaError, wrong } from '../../lambda/lambda-error.ts';
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

/**
 * One page of a list that is there whole.
 * @param keyOf names each of them, in the order of the list
 * @throws LambdaError InvalidParameterValueException for a marker of something that is not there any more: who got the list's beginning again would never come to its end
 */
export function cut<T>(
  all: readonly T[],
  { limit, after }: PageWish,
  keyOf: (one: T) => string,
): { page: readonly T[]; next: string | undefined } {
  const last = after === undefined ? undefined : all.findIndex((one) => keyOf(one) === after);
  if (last === -1) throw wrong('Marker: the list has changed meanwhile; begin again without it');
  const from = last === undefined ? 0 : last + 1;
  const page = all.slice(from, from + limit);
  const end = page.at(-1);
  return { page, next: from + limit < all.length && end !== undefined ? keyOf(end) : undefined };
}
