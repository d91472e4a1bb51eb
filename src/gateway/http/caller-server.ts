/** The servers that callers reach: the same limits at each of them. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { Server as NetServer } from 'node:net';
import { clientIdleMs, maxHeaderBytes, maxHeaderCount } from '../../model/limits.ts';

export const keepAliveMs = 75_000;
const checkConnectionsEveryMs = 1_000;

/** Does not listen yet. @param more what only one of them has */
export function callerServer(take: RequestListener, more: ServerOptions = {}): Server {
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: clientIdleMs,
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: checkConnectionsEveryMs,
      noDelay: true,
      requireHostHeader: false,
      ...more,
    },
    take,
  );
  // One more than may come, so that it shows when more did.
  server.maxHeadersCount = maxHeaderCount + 1;
  return server;
}

/** Where callers come. */
export interface CallerPlace {
  readonly host: string;
  readonly port: number;
  /** A socket that listens there already, as a descriptor. It is shared: closing it here keeps nobody from coming. */
  readonly socket?: number | undefined;
}

/** Resolves when it listens. @throws the system's error when the port is taken */
export function listenAt(server: NetServer, { host, port, socket }: CallerPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    if (socket === undefined) server.listen(port, host, resolve);
    else server.listen({ fd: socket }, resolve);
  });
}
