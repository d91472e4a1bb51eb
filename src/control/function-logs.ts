/** A function's log, as the relay keeps it: its last records, and those that come. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type CallClient, type CallHandlers, connectCalls } from '../wire/calls.ts';
import type { CallPlace } from '../wire/secure/secure-place.ts';
import { followedLinesSchema, logLinesSchema } from '../wire/relay-calls.ts';

const heartbeatMs = 15_000;
/** What a follower may leave unread before it is cut off. */
const maxUnreadBytes = 8 * 1024 * 1024;
const readLimitMs = 5_000;

interface Follower {
  readonly tenant: string;
  readonly name: string;
  readonly take: (lines: readonly string[]) => void;
  readonly end: () => void;
}

export class FunctionLogs implements AsyncDisposable {
  /** The connection to the relay, for other questions too. */
  readonly relay: CallClient;
  readonly #followers = new Map<string, Follower>();

  constructor(relay: CallPlace, connect: (place: CallPlace, role: string, handlers: CallHandlers) => CallClient = connectCalls) {
    this.relay = connect(relay, 'control', {
      // A relay that was restarted knows no followers.
      opened: () => {
        for (const [id, { tenant, name }] of this.#followers) this.#ask('follow', { id, tenant, function: name }).catch(() => undefined);
      },
      notice: (method, body) => {
        if (method !== 'lines') return;
        const { id, lines } = followedLinesSchema.parse(body);
        this.#followers.get(id)?.take(lines);
      },
    });
  }

  /** The last records, oldest first, one JSON object each. @throws SwiftletError Unavailable while the relay is away */
  async read(tenant: string, name: string, last: number): Promise<string[]> {
    return logLinesSchema.parse(await this.#ask('read', { tenant, function: name, last })).lines;
  }

  /**
   * The last records, then new ones as they come, a line each; an empty line now and then shows that the connection lives.
   * Ends when the stream is destroyed, when the function is forgotten, or when this is disposed.
   * @throws SwiftletError Unavailable while the relay is away
   */
  async follow(tenant: string, name: string, last: number): Promise<Readable> {
    const id = randomUUID();
    const stream = new Readable({ read: () => undefined });
    let open = true;
    const push = (text: string) => {
      if (open) stream.push(text);
      if (stream.readableLength > maxUnreadBytes) stream.destroy();
    };
    const end = () => {
      if (open) stream.push(null);
      open = false;
    };
    // New records wait until the old ones are out.
    let early: string[] | undefined = [];
    const take = (lines: readonly string[]) => {
      if (early === undefined) push(textOf(lines));
      else early = [...early, ...lines];
    };
    const heartbeat = setInterval(push, heartbeatMs, '\n');
    this.#followers.set(id, { tenant, name, take, end });
    stream.once('close', () => {
      open = false;
      clearInterval(heartbeat);
      this.#followers.delete(id);
      this.relay.notify('unfollow', { id });
    });
    try {
      await this.#ask('follow', { id, tenant, function: name });
      const before = last === 0 ? [] : await this.read(tenant, name, last);
      push(textOf([...before, ...behind(before, early)]));
      early = undefined;
      return stream;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  /** The function was removed: its log goes, and nobody follows it any more. */
  async forget(tenant: string, name: string): Promise<void> {
    for (const follower of this.#followers.values()) if (follower.tenant === tenant && follower.name === name) follower.end();
    await this.#ask('forget', { tenant, function: name });
  }

  /** Ends every stream that follows a log. */
  endFollowers(): void {
    for (const follower of this.#followers.values()) follower.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endFollowers();
    await this.relay[Symbol.asyncDispose]();
  }

  #ask(method: string, body: unknown): Promise<unknown> {
    return this.relay.ask(method, body, readLimitMs);
  }
}

/** Records as they go out: a line each. */
export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** The followed records that are not already at the end of those read: both were asked for at nearly the same time. */
export function behind(read: readonly string[], followed: readonly string[]): string[] {
  for (let common = Math.min(read.length, followed.length); common > 0; common -= 1) {
    if (followed.slice(0, common).every((line, at) => line === read[read.length - common + at])) return followed.slice(common);
  }
  return [...followed];
}
