/**
 * Calls between roles: JSON in frames over a Unix socket. Either side may notify the other; the client asks, the server answers.
 * Each connection opens with a greeting that carries the protocol version, so that neighbouring releases can tell each other apart.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { isErrorCode, SwiftletError } from '../model/errors.ts';
import { encodeFrame, FrameDecoder } from './frames.ts';

export const callProtocolVersion = 1;

const kind = { greeting: 0x40, ask: 0x41, answer: 0x42, refusal: 0x43, notice: 0x44, textNotice: 0x45 } as const;
const lineFeed = 0x0a;
/** A snapshot of many functions, or a long piece of a log, is one message. */
const maxMessageBytes = 32 * 1024 * 1024;
/** Bytes that may wait for a peer that does not read before it is cut off. */
const maxBacklogBytes = 64 * 1024 * 1024;

interface Message {
  readonly method: string;
  readonly body: unknown;
}
interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** One end of a connection that is open. */
export interface Peer {
  /** The role at the other end, as its greeting said. */
  readonly role: string;
  /** What else its greeting carried. */
  readonly greeting: unknown;
  /** Sends without an answer. Does nothing once the connection is closed. */
  notify(method: string, body: unknown): void;
  /** The same for a long text, in UTF-8, which goes as it is and arrives as the body's `text`. */
  notifyText(method: string, body: object, text: Buffer): void;
  /** Aborts when the connection is gone, for whatever reason. */
  readonly signal: AbortSignal;
  close(): void;
}

export interface CallHandlers {
  /** Answers calls. What it throws goes back to the asker; a SwiftletError keeps its code. */
  ask?(method: string, body: unknown, peer: Peer): unknown;
  notice?(method: string, body: unknown, peer: Peer): void;
  /** A peer has greeted. For a client: also after every reconnection. */
  opened?(peer: Peer): void;
  closed?(peer: Peer): void;
}

export interface CallServer extends AsyncDisposable {
  readonly peers: ReadonlySet<Peer>;
}

/**
 * Answers calls on a listening Unix socket.
 * @param path where the socket is made; what lies there from before is the caller's to remove
 * @throws the system's error when the socket cannot be made
 */
export async function serveCalls(path: string, role: string, handlers: CallHandlers): Promise<CallServer> {
  const peers = new Set<Peer>();
  const server: Server = createServer((socket) => {
    holdConnection(socket, () => ({ role, protocol: callProtocolVersion }), {
      ...handlers,
      opened(peer) {
        peers.add(peer);
        handlers.opened?.(peer);
      },
      closed(peer) {
        peers.delete(peer);
        handlers.closed?.(peer);
      },
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    peers,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      for (const peer of peers) peer.close();
      await closed;
    },
  };
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

/**
 * Keeps a connection to a role's socket open, and opens it again whenever it breaks, with growing pauses up to half a second.
 * @param greeting what the other side learns first, made anew for every connection
 */
export function connectCalls(path: string, role: string, handlers: CallHandlers = {}, greeting: () => object = () => ({})): CallClient {
  let live: Connection | undefined;
  let closed = false;
  let retryMs = firstRetryMs;
  let retry: NodeJS.Timeout | undefined;
  let socket: Socket;
  const waiting = new Set<() => void>();

  const open = () => {
    socket = createConnection(path);
    const connection = holdConnection(socket, () => ({ role, protocol: callProtocolVersion, ...greeting() }), {
      ...handlers,
      opened(peer) {
        live = connection;
        retryMs = firstRetryMs;
        handlers.opened?.(peer);
        for (const wake of waiting) wake();
        waiting.clear();
      },
    });
    socket.once('close', () => {
      live = undefined;
      if (closed) return;
      retry = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    });
  };
  open();

  const connection = async (deadline: number): Promise<Connection> => {
    while (live === undefined) {
      if (closed) throw new SwiftletError('Unavailable', `the connection of ${role} to ${path} is closed`);
      await new Promise<void>((resolve, reject) => {
        const done = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(
          () => {
            waiting.delete(done);
            reject(new SwiftletError('Unavailable', `${role} cannot reach ${path}; the role behind it is starting or has stopped`));
          },
          Math.max(0, deadline - performance.now()),
        );
        waiting.add(done);
      });
    }
    return live;
  };

  return {
    get connected() {
      return live !== undefined;
    },
    ask(method, body, timeoutMs = defaultTimeoutMs) {
      const deadline = performance.now() + timeoutMs;
      return live === undefined ? connection(deadline).then((c) => c.ask(method, body, deadline)) : live.ask(method, body, deadline);
    },
    notify(method, body) {
      live?.peer?.notify(method, body);
    },
    notifyText(method, body, text) {
      live?.peer?.notifyText(method, body, text);
    },
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      clearTimeout(retry);
      for (const wake of waiting) wake();
      waiting.clear();
      if (socket.destroyed) return;
      const gone = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy();
      await gone;
    },
  };
}

interface Connection {
  readonly peer: Peer | undefined;
  ask(method: string, body: unknown, deadline: number): Promise<unknown>;
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Both ends of a call connection are the same: each greets, and either may ask. */
function holdConnection(socket: Socket, greeting: () => object, handlers: CallHandlers): Connection {
  const gone = new AbortController();
  const asked = new Map<number, Asked>();
  let lastAsk = 0;
  let peer: Peer | undefined;

  const send = (type: number, id: number, body: unknown) => sendPayload(type, id, JSON.stringify(body));

  const sendPayload = (type: number, id: number, payload: string | Buffer) => {
    if (socket.destroyed) return;
    socket.write(encodeFrame(type, id, payload));
    if (socket.writableLength > maxBacklogBytes) socket.destroy();
  };

  const answer = async (id: number, message: Message, from: Peer) => {
    try {
      if (handlers.ask === undefined) throw new SwiftletError('NotFound', `this side answers no calls, not even "${message.method}"`);
      send(kind.answer, id, (await handlers.ask(message.method, message.body, from)) ?? null);
    } catch (error) {
      const code = error instanceof SwiftletError ? error.code : 'Internal';
      send(kind.refusal, id, { code, message: error instanceof Error ? error.message : String(error) } satisfies Refusal);
    }
  };

  const settle = (id: number): Asked | undefined => {
    const pending = asked.get(id);
    if (pending === undefined) return undefined;
    asked.delete(id);
    clearTimeout(pending.timer);
    return pending;
  };

  const receive = (type: number, id: number, payload: Buffer) => {
    if (type === kind.textNotice) {
      receiveText(payload);
      return;
    }
    const body: unknown = JSON.parse(payload.toString());
    if (type === kind.greeting) {
      const { role, protocol } = body as { role: string; protocol: number };
      if (Math.abs(protocol - callProtocolVersion) > 1) {
        socket.destroy(new Error(`${role} speaks call protocol ${String(protocol)}, this side ${String(callProtocolVersion)}`));
        return;
      }
      peer = {
        role,
        greeting: body,
        signal: gone.signal,
        // JSON has no line feed outside of its strings, and escapes those inside.
        notifyText: (method, value, text) => {
          sendPayload(kind.textNotice, 0, Buffer.concat([Buffer.from(`${JSON.stringify({ method, body: value })}\n`), text]));
        },
        notify: (method, value) => {
          send(kind.notice, 0, { method, body: value });
        },
        close: () => {
          socket.destroy();
        },
      };
      handlers.opened?.(peer);
      return;
    }
    if (peer === undefined) {
      socket.destroy(new Error('the other side did not greet first'));
      return;
    }
    if (type === kind.ask) void answer(id, body as Message, peer);
    else if (type === kind.notice) handlers.notice?.((body as Message).method, (body as Message).body, peer);
    else if (type === kind.answer) settle(id)?.resolve(body);
    else if (type === kind.refusal) settle(id)?.reject(refused(body as Refusal));
  };

  const receiveText = (payload: Buffer) => {
    const end = payload.indexOf(lineFeed);
    const { method, body } = JSON.parse(payload.toString('utf8', 0, end)) as { method: string; body: object };
    if (peer === undefined) socket.destroy(new Error('the other side did not greet first'));
    else handlers.notice?.(method, { ...body, text: payload.toString('utf8', end + 1) }, peer);
  };

  const decoder = new FrameDecoder(receive, { maxPayload: maxMessageBytes });
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    try {
      decoder.push(chunk);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  // The reason a socket broke is of no use to anyone who waits: they all learn that it did.
  socket.on('error', () => undefined);
  socket.once('close', () => {
    for (const id of [...asked.keys()]) settle(id)?.reject(new SwiftletError('Unavailable', 'the connection broke before the answer came'));
    gone.abort();
    if (peer !== undefined) handlers.closed?.(peer);
  });
  const greet = () => send(kind.greeting, 0, greeting());
  if (socket.connecting) socket.once('connect', greet);
  else greet();

  return {
    get peer() {
      return peer;
    },
    ask: (method, body, deadline) =>
      new Promise((resolve, reject) => {
        const id = (lastAsk = (lastAsk % 0xffff_fffe) + 1);
        const timer = setTimeout(
          () => {
            settle(id)?.reject(
              new SwiftletError('Unavailable', `"${method}" was not answered in time by the ${peer?.role ?? 'other'} role`),
            );
          },
          Math.max(0, deadline - performance.now()),
        );
        asked.set(id, { resolve, reject, timer });
        send(kind.ask, id, { method, body });
      }),
  };
}

const refused = (refusal: Refusal): SwiftletError =>
  new SwiftletError(isErrorCode(refusal.code) ? refusal.code : 'Internal', refusal.message);
