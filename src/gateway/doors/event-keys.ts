/** What a request says of its place among other events: in what order, and whether it was sent before. */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { maxEventKeyLength } from '../../model/limits.ts';

export const orderKeyHeader = 'x-swiftlet-order-key';
/** The field of the IETF's draft of that name. */
export const idempotencyKeyHeader = 'idempotency-key';

export interface EventKeys {
  readonly orderKey?: string;
  readonly idempotencyKey?: string;
}

const allowed = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** @throws SwiftletError BadRequest for a key that is empty, too long or no plain text */
export function eventKeysOf(headers: IncomingHttpHeaders): EventKeys {
  const orderKey = keyOf(headers, orderKeyHeader);
  const idempotencyKey = keyOf(headers, idempotencyKeyHeader);
  return { ...(orderKey === undefined ? {} : { orderKey }), ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
}

function keyOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const said = headers[name];
  if (said === undefined) return undefined;
  const key = unquoted(String(said));
  if (key.length <= maxEventKeyLength && allowed.test(key)) return key;
  throw new SwiftletError('BadRequest', `${name}: a key is 1 to ${maxEventKeyLength} visible ASCII characters`, { place: name });
}

/** The draft writes a key as a string of structured fields, with quotes; most who use one leave them out. */
const unquoted = (value: string): string =>
  value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1).replace(/\\(["\\])/g, '$1') : value;
