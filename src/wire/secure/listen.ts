/** Opens what a role listens on: a Unix socket, or a port in the network that takes certificates of certain roles only. */
import { createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer, type TLSSocket } from 'node:tls';
import { addressOf, handshakeLimitMs, mutual, proofOf, secretsOf } from './prove.ts';
import type { Proof } from './role-certificate.ts';
import type { CallPlace, SecurePlace } from './secure-place.ts';

/** Of those that have not proved anything, too. */
const maxConnections = 512;
const expiryCheckEveryMs = 1_000;

/**
 * @param taken called with each connection; with what its other end has proved when it came through the network
 * @returns closes it, and all its connections
 * @throws the system's error when it cannot be opened
 */
export async function listen(place: CallPlace, taken: (socket: Socket, proof?: Proof) => void): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = typeof place === 'string' ? createPlainServer((socket) => taken(socket)) : securely(place, taken);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (typeof place === 'string') server.listen(place, resolve);
    else server.listen(place.port, place.host, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function securely(place: SecurePlace, taken: (socket: Socket, proof: Proof) => void): Server {
  const server = createSecureServer({ ...mutual, ...secretsOf(place), handshakeTimeout: handshakeLimitMs });
  server.maxConnections = maxConnections;
  const proved = new Map<TLSSocket, Proof>();
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    const proof = proofOf(socket, place);
    if (proof === undefined) return;
    proved.set(socket, proof);
    socket.once('close', () => proved.delete(socket));
    taken(socket, proof);
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) =>
    place.refused(`it does not speak TLS as it must: ${error.message}`, addressOf(socket)),
  );
  const renewing = place.credentials.watch(() => server.setSecureContext({ ...mutual, ...secretsOf(place) }));
  // A connection lives no longer than what was proved when it was made.
  const expiry = setInterval(() => {
    for (const [socket, { untilMs }] of proved)
      if (Date.now() >= untilMs) {
        place.refused('its certificate ended, and it made no new connection with another one', addressOf(socket));
        socket.destroy();
      }
  }, expiryCheckEveryMs);
  server.once('close', () => {
    renewing[Symbol.dispose]();
    clearInterval(expiry);
  });
  return server;
}
