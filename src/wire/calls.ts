/**
 * Calls between roles: over a Unix socket on one machine, over TLS between two. Either side may notify the other; the client asks, the
 * server answers.
 */
import type { Socket } from 'node:net';
import { SwiftletError } from '../model/errors.ts';
import { type CallConnection, type CallHandlers, callProtocolVersion, holdConnection, type Peer, type Proven } from './call-connection.ts';
import { dial } from './secure/dial.ts';
import { listen } from './secure/listen.ts';
import { addressOf } from './secure/prove.ts';
import { followAtMs, type Proof } from './secure/role-certificate.ts';
import { type CallPlace, placeName } from './secure/secure-place.ts';

export type { CallHandlers, Peer };

export interface CallServer extends AsyncDisposable {
  readonly peers: ReadonlySet<Peer>;
}

/**
 * Answers calls.
 * @param places where it listens: what lies at a Unix socket's path from before is the caller's to remove
 * @throws the system's error when it cannot listen there
 */
export async function serveCalls(places: CallPlace | readonly CallPlace[], role: string, handlers: CallHandlers): Promise<CallServer> {
  const peers = new Set<Peer>();
  await using opened = new AsyncDisposableStack();
  for (const place of [places].flat()) {
    const take = (socket: Socket, proof?: Proof) => {
      const own: CallHandlers = {
        ...handlers,
        opened(peer) {
          peers.add(peer);
          handlers.opened?.(peer);
        },
        closed(peer) {
          peers.delete(peer);
          handlers.closed?.(peer);
        },
      };
      holdConnection(socket, { role, protocol: callProtocolVersion }, own, provenBy(place, socket, proof));
    };
    opened.use(await listen(place, take));
  }
  const listening = opened.move();
  return { peers, [Symbol.asyncDispose]: () => listening.disposeAsync() };
}

function provenBy(place: CallPlace, socket: Socket, proof: Proof | undefined): Proven | undefined {
  if (typeof place === 'string' || proof === undefined) return undefined;
  return { role: proof.role, host: proof.host, refused: (why) => place.refused(why, addressOf(socket)) };
}

export interface CallClient extends AsyncDisposable {
  /** Whether there is a connection that has been greeted. */
  readonly connected: boolean;
  /**
   * Asks and waits for the answer; while there is no connection, waits for one within the same limit.
   * @throws SwiftletError with the other side's code, or `Unavailable` when the limit passed or the connection broke
   */
  ask(method: string, body: unknown, timeoutMs?: number): Promise<unknown>;
  /** Sends without an answer; lost when there is no connection. */
  notify(method: string, body: unknown): void;
  /** The same for a long text, in UTF-8, which goes as it is and arrives as the body's `text`. */
  notifyText(method: string, body: object, text: Buffer): void;
}

const defaultTimeoutMs = 5_000;
const firstRetryMs = 10;
const lastRetryMs = 500;
const followCheckEveryMs = 500;

/** A connection that has been greeted. */
interface Live {
  readonly socket: Socket;
  readonly connection: CallConnection;
  /** When another one is to take its place, in milliseconds since 1970. */
  readonly followAtMs: number;
}

/**
 * Keeps a connection to a role open, and opens it again whenever it breaks, with growing pauses up to half a second. One that goes
 * through the network is followed by another before a certificate ends; what was asked on it is answered on it.
 * @param greeting what the other side learns first, made anew for every connection
 */
export function connectCalls(place: CallPlace, role: string, handlers: CallHandlers = {}, greeting: () => object = () => ({})): CallClient {
  let live: Live | undefined;
  let attempt: Socket | undefined;
  let closed = false;
  let retryMs = firstRetryMs;
  let retry: NodeJS.Timeout | undefined;
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();

  const open = () => {
    let greeted = false;
    const socket: Socket = dial(place, (proof) => {
      const hello = { role, protocol: callProtocolVersion, ...greeting() };
      const own: CallHandlers = {
        ...handlers,
        opened(peer) {
          greeted = true;
          attempt = undefined;
          retryMs = firstRetryMs;
          const before = live;
          live = { socket, connection, followAtMs: followTime(place, proof, Date.now()) };
          handlers.opened?.(peer);
          before?.connection.retire();
          for (const wake of waiting) wake();
          waiting.clear();
        },
      };
      const connection = holdConnection(socket, hello, own, provenBy(place, socket, proof));
      if (typeof place !== 'string')
        socket.once('close', () => {
          if (!greeted && !closed)
            place.refused('the other side closed the connection before it greeted; its log says why', placeName(place));
        });
    });
    attempt = socket;
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (attempt === socket) attempt = undefined;
      if (live?.socket === socket) live = undefined;
      if (closed || live !== undefined || attempt !== undefined) return;
      clearTimeout(retry);
      retry = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    });
  };
  open();
  const follow = () => {
    if (live !== undefined && attempt === undefined && Date.now() >= live.followAtMs) open();
  };
  const following = typeof place === 'string' ? undefined : setInterval(follow, followCheckEveryMs);

  const connection = async (deadline: number): Promise<CallConnection> => {
    while (live === undefined) {
      if (closed) throw new SwiftletError('Unavailable', `the connection of ${role} to ${placeName(place)} is closed`);
      await new Promise<void>((resolve, reject) => {
        const done = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(
          () => {
            waiting.delete(done);
            reject(
              new SwiftletError('Unavailable', `${role} cannot reach ${placeName(place)}; the role behind it is starting or has stopped`),
            );
          },
          Math.max(0, deadline - performance.now()),
        );
        waiting.add(done);
      });
    }
    return live.connection;
  };

  return {
    get connected() {
      return live !== undefined;
    },
    ask(method, body, timeoutMs = defaultTimeoutMs) {
      const deadline = performance.now() + timeoutMs;
      return live === undefined
        ? connection(deadline).then((c) => c.ask(method, body, deadline))
        : live.connection.ask(method, body, deadline);
    },
    notify(method, body) {
      live?.connection.peer?.notify(method, body);
    },
    notifyText(method, body, text) {
      live?.connection.peer?.notifyText(method, body, text);
    },
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      clearTimeout(retry);
      clearInterval(following);
      for (const wake of waiting) wake();
      waiting.clear();
      await Promise.all([...sockets].map(closeSocket));
    },
  };
}

async function closeSocket(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy();
  await gone;
}

/** Never, for a connection that nobody had to prove anything for. */
const followTime = (place: CallPlace, proof: Proof | undefined, nowMs: number): number =>
  typeof place === 'string' || proof === undefined ? Infinity : followAtMs(nowMs, Math.min(proof.untilMs, place.credentials.endsMs));
