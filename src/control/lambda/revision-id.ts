import { createHash } from 'node:crypto';
import { canonicalJson } from '../../model/audit.ts';

/** An id of what something is now, in a UUID's form (RFC 9562, version 8): it changes with every change, and with no other. */
export function revisionId(of: unknown): string {
  const hex = createHash('sha256').update(canonicalJson(of)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-');
}
