import type { MsgHdrs } from '@nats-io/transport-node';

/** A message's headers; values of one that comes several times are joined by commas. */
export const headersOf = (headers: MsgHdrs | undefined): Record<string, string> =>
  headers === undefined ? {} : Object.fromEntries([...headers].map(([name, values]) => [name, values.join(', ')]));
