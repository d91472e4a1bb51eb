/** Bodies of requests that are signed: held as a whole before anybody knows who sent them, and so within a budget. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { maxBodyBytes } from '../../model/limits.ts';
import type { ByteBudget } from '../http/byte-budget.ts';
import { bodyLengthOf } from '../http/request-headers.ts';
import { bodyTooLarge } from '../request/dispatch.ts';
import type { FunctionRoute } from '../routing/route.ts';
import { collectBody } from './collect-body.ts';

const nothing = Buffer.alloc(0);

/**
 * Its bytes are of the budget until its answer is over.
 * @throws SwiftletError RequestTooLarge by its route, or by what a request may have; TooManyRequests when there is nothing left of the budget
 */
export async function signedBody(
  budget: ByteBudget,
  request: IncomingMessage,
  response: ServerResponse,
  { tenant, taken }: { readonly tenant: string; readonly taken?: FunctionRoute['taken'] | undefined },
): Promise<Buffer> {
  const length = bodyLengthOf(request);
  if (length === 0) return nothing;
  const limit = taken?.open.route.maxBodyBytes ?? maxBodyBytes;
  if (length > limit) throw bodyTooLarge(taken);
  const held = length < 0 ? limit : length;
  if (!budget.take(tenant, held))
    throw new SwiftletError('TooManyRequests', 'too many signed requests with a body are on their way; send fewer at once');
  response.once('close', () => budget.give(tenant, held));
  return collectBody(request, limit, () => bodyTooLarge(taken));
}
