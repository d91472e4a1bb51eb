/**
 * The port for callers by TLS: HTTP/2 for those who speak it, else HTTP/1.1, which goes to the very server of the other port. The same limits hold
 * for both, as far as both have them.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import { createServer, type TLSSocket } from 'node:tls';
import type { Logger } from 'pino';
import { SwiftletError } from '../../model/errors.ts';
import { clientIdleMs, maxHeaderBytes, maxHeaderCount } from '../../model/limits.ts';
import { type CallerPlace, keepAliveMs, listenAt } from '../http/caller-server.ts';
import { Http2Request } from './http2-request.ts';
import { Http2Response } from './http2-response.ts';
import { followMaterial, readMaterial } from './tls-material.ts';

const secondProtocol = 'h2';
/** Requests on one connection at once; streams taken back, pings and settings without end are Node.js's to count, by these. */
const limits = {
  settings: { maxConcurrentStreams: 100, maxHeaderListSize: maxHeaderBytes, enablePush: false, enableConnectProtocol: true },
  // With the five of the protocol itself; one more, so that it shows when more came.
  maxHeaderListPairs: maxHeaderCount + 6,
  maxSendHeaderBlockLength: maxHeaderBytes * 2,
  maxSettings: 32,
  maxOutstandingPings: 10,
  maxOutstandingSettings: 10,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  maxSessionMemory: 10,
  streamResetBurst: 1_000,
  streamResetRate: 33,
} as const;

export interface SecureDoorMeans {
  readonly place: CallerPlace;
  /** The file with certificate and key. */
  readonly material: string;
  /** Takes requests of HTTP/2. */
  readonly take: RequestListener;
  /** Refuses what nobody here takes. */
  readonly refuse: (request: IncomingMessage, response: ServerResponse, error: SwiftletError) => void;
  /** Takes connections of callers that speak HTTP/1.1. */
  readonly plain: Server;
  readonly log: Logger;
}

export interface SecureDoor {
  /** No new connections, and no new requests by HTTP/2, from now on. */
  refuseMore(): void;
  /** Resolves once no connection is left, those of HTTP/1.1 being the plain server's to end. Those that take longer are broken. */
  end(graceOver: AbortSignal): Promise<void>;
}

/** @throws the system's error when the port is taken, or the file cannot be used */
export async function openSecureDoor({ place, material, take, refuse, plain, log }: SecureDoorMeans): Promise<SecureDoor> {
  const sessions = new Set<ServerHttp2Session>();
  const second = http2Server({ take, refuse }, sessions);
  const server = createServer({
    ...readMaterial(material),
    ALPNProtocols: [secondProtocol, 'http/1.1'],
    handshakeTimeout: clientIdleMs,
    minVersion: 'TLSv1.2',
  });
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    (socket.alpnProtocol === secondProtocol ? second : plain).emit('connection', socket);
  });
  const following = followMaterial(server, material, log);
  await listenAt(server, place);
  return {
    refuseMore() {
      following[Symbol.dispose]();
      server.close();
      for (const session of sessions) session.close();
    },
    async end(graceOver) {
      const late = () => sockets.forEach((socket) => socket.destroy());
      graceOver.addEventListener('abort', late, { once: true });
      if (graceOver.aborted) late();
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      graceOver.removeEventListener('abort', late);
    },
  };
}

/** Dressed as those of HTTP/1.1. */
const asFirst = (request: Http2ServerRequest, response: Http2ServerResponse) =>
  [request as unknown as IncomingMessage, response as unknown as ServerResponse & { req: IncomingMessage }] as const;

function http2Server({ take, refuse }: Pick<SecureDoorMeans, 'take' | 'refuse'>, sessions: Set<ServerHttp2Session>): Http2Server {
  const server = createHttp2Server(
    // Types of their own, which have what is used of the others'.
    { ...limits, Http2ServerRequest: Http2Request as never, Http2ServerResponse: Http2Response as never },
    (request: Http2ServerRequest, response: Http2ServerResponse) => take(...asFirst(request, response)),
  );
  server.on('connect', (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const [first, answer] = asFirst(request, response);
    if (request instanceof Http2Request && request.isOffer && response instanceof Http2Response) {
      response.beOffer();
      take(first, answer);
    } else
      refuse(first, answer, new SwiftletError('MethodNotAllowed', 'CONNECT is taken for WebSockets only, with ":protocol: websocket"'));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // Whatever was wrong with it, it is closed.
    session.on('error', () => undefined);
    session.setTimeout(keepAliveMs, () => session.close());
  });
  server.on('sessionError', () => undefined);
  return server;
}
