import type { ServerResponse } from 'node:http';

/** Up to here it is cheaper to copy bytes than to write them apart from the head. */
const smallBytes = 2048;

/** Ends an answer with the whole of its body: a small one leaves in one write with its head. */
export function endWhole(response: ServerResponse, body: Buffer): void {
  if (body.length <= smallBytes) response.end(body.toString('latin1'), 'latin1');
  else response.end(body);
}
