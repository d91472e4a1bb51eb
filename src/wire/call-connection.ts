/**
 * One connection between two roles, seen from either end: frames of JSON. Each connection opens with a greeting that carries the
 * protocol version, so that neighbouring releases can tell each other apart. Either side may notify the other; who is asked answers.
 */
import type { Socket } from 'node:net';
import { isErrorCode, SwiftletError } from '../model/errors.ts';
import { failureIn } from './carried-failure.ts';
import { encodeFrame, FrameDecoder } from './frames.ts';
import type { InvocationFailure } from './instance-protocol.ts';

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
  readonly place?: string;
  readonly limit?: string;
  readonly retryAfterMs?: number;
  /** What user code did wrong, when that is why. */
  readonly failure?: InvocationFailure;
}

/** One end of a connection that is open. */
export interface Peer {
  /** The role at the other end, as its greeting said; proved where it is on another host. */
  readonly role: string;
  /** The other host, as its certificate names it; absent on one machine. */
  readonly host?: string;
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

export interface CallConnection {
  readonly peer: Peer | undefined;
  ask(method: string, body: unknown, deadline: number): Promise<unknown>;
  /** Ends it as soon as everything that was asked is answered; nothing more may be asked. */
  retire(): void;
}

/** What is known of the other end before it says anything. */
export interface Proven {
  /** It may greet as this one only. */
  readonly role: string;
  readonly host: string;
  /** Told why the connection is cut. */
  readonly refused: (why: string) => void;
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Both ends of a call connection are the same: each greets, and either may ask.
 * @param socket open already
 * @param proven absent where whoever can reach the socket is one of us
 */
export function holdConnection(socket: Socket, greeting: object, handlers: CallHandlers, proven?: Proven): CallConnection {
  const gone = new AbortController();
  const asked = new Map<number, Asked>();
  let lastAsk = 0;
  let peer: Peer | undefined;
  let retired = false;

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
      send(kind.refusal, id, refusalOf(error));
    }
  };

  const settle = (id: number): Asked | undefined => {
    const pending = asked.get(id);
    if (pending === undefined) return undefined;
    asked.delete(id);
    clearTimeout(pending.timer);
    endIfDone();
    return pending;
  };

  const endIfDone = () => {
    if (retired && asked.size === 0) socket.end();
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
      if (proven !== undefined && role !== proven.role) {
        proven.refused(`it calls itself ${role}, and its certificate is for the role ${proven.role}`);
        socket.destroy();
        return;
      }
      peer = {
        role,
        ...(proven === undefined ? {} : { host: proven.host }),
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
  send(kind.greeting, 0, greeting);

  return {
    get peer() {
      return peer;
    },
    retire() {
      retired = true;
      endIfDone();
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

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof SwiftletError)) return { code: 'Internal', message: error instanceof Error ? error.message : String(error) };
  const { code, message, place, limit, retryAfterMs } = error;
  const failure = failureIn(error);
  return {
    code,
    message,
    ...(place === undefined ? {} : { place }),
    ...(limit === undefined ? {} : { limit }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(failure === undefined ? {} : { failure }),
  };
}

const refused = ({ code, message, failure, ...about }: Refusal): SwiftletError =>
  new SwiftletError(isErrorCode(code) ? code : 'Internal', message, failure === undefined ? about : { ...about, cause: failure });
