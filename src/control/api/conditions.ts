/** Conditional requests (RFC 9110): a function's entity tag is the number of the version that serves. */
import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';

export const conditionHeaders = z.object({
  'if-match': z.string().optional().describe('The entity tag of the version that has to be serving, such as "3"'),
  'if-none-match': z.literal('*', 'only "*" is understood').optional().describe('The function must not exist yet'),
});

export const entityTag = (number: number): string => `"${number}"`;

/** @throws SwiftletError BadRequest for a tag that is none of ours */
export function conditionOf(headers: z.output<typeof conditionHeaders>): number | 'none' | undefined {
  if (headers['if-none-match'] !== undefined) return 'none';
  const tag = headers['if-match'];
  if (tag === undefined) return undefined;
  const number = /^"?(\d{1,15})"?$/.exec(tag)?.[1];
  if (number === undefined)
    throw new SwiftletError('BadRequest', 'if-match is the number of the version that serves, such as "3"', { place: 'if-match' });
  return Number(number);
}
