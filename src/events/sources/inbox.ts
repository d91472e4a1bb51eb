/**
 * What a source has of its server and has not given out, in its order. Sources whose server pushes fill it; it is as bounded as they keep
 * it: by the window that they agreed on with their server, or by waiting for `room` before they read on.
 */
import type { Message, Wanted } from './source.ts';

interface Arrived {
  readonly at: number;
  readonly message: Message;
}

export interface Room {
  readonly messages: number;
  /** Bodies together. */
  readonly bytes: number;
}

export class Inbox {
  readonly #room: Room;
  /** Oldest first. */
  #waiting: Arrived[] = [];
  #waitingBytes = 0;
  /** Given out and not settled, by id. */
  readonly #given = new Map<string, number>();
  #arrived = 0;
  #fault: Error | undefined;
  #changed = Promise.withResolvers<undefined>();
  /** Of those who wait for an answer of the same server. */
  readonly #waitingForAnswers = new Set<(fault: Error) => void>();

  /** @param room what may wait in it; it holds what `push` is given all the same */
  constructor(room: Room) {
    this.#room = room;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** How many were given out and are not settled. */
  get given(): number {
    return this.#given.size;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#room.messages || this.#waitingBytes >= this.#room.bytes;
  }

  push(message: Message): void {
    this.#insert({ at: this.#arrived++, message });
    this.#tell();
  }

  /** Waits for at least one message, until the signal aborts. @throws what it failed with */
  async next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    for (;;) {
      const taken = this.take(wanted);
      if (taken.length > 0 || signal.aborted) return taken;
      await this.#change(signal);
    }
  }

  /** Those that wait, as many as are wanted. @throws what it failed with */
  take(wanted: Wanted): readonly Message[] {
    this.throwIfFailed();
    const taken = pick(this.#waiting, wanted);
    if (taken.length === 0) return [];
    const left = new Set(taken);
    this.#waiting = this.#waiting.filter((arrived) => !left.has(arrived));
    for (const { at, message } of taken) {
      this.#waitingBytes -= message.body.length;
      this.#given.set(message.id, at);
    }
    this.#tell();
    return taken.map(({ message }) => message);
  }

  /** @returns those that were given out and were not settled before: now they are */
  settle(messages: readonly Message[]): readonly Message[] {
    return messages.filter(({ id }) => this.#given.delete(id));
  }

  /** @throws what it failed with */
  throwIfFailed(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** The answer to what was asked of the same server. @throws what the inbox failed with: then none may come */
  async unlessFailed<Answer>(answer: Promise<Answer>): Promise<Answer> {
    const failed = Promise.withResolvers<never>();
    this.#waitingForAnswers.add(failed.reject);
    if (this.#fault !== undefined) failed.reject(this.#fault);
    try {
      return await Promise.race([failed.promise, answer]);
    } finally {
      this.#waitingForAnswers.delete(failed.reject);
    }
  }

  /** They take the places that they had. */
  giveBack(messages: readonly Message[]): void {
    for (const message of messages) {
      const at = this.#given.get(message.id);
      if (at === undefined) continue;
      this.#given.delete(message.id);
      this.#insert({ at, message });
    }
    this.#tell();
  }

  /** Resolves when there is room for one more, or nobody will make any: it failed. */
  async room(): Promise<void> {
    while (this.isFull && this.#fault === undefined) await this.#changed.promise;
  }

  /** Its server is gone: whoever asks is told. The first reason is the one that counts. */
  fail(fault: Error): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    for (const give of this.#waitingForAnswers) give(fault);
    this.#tell();
  }

  #insert(arrived: Arrived): void {
    const later = this.#waiting.findLastIndex(({ at }) => at < arrived.at) + 1;
    this.#waiting.splice(later, 0, arrived);
    this.#waitingBytes += arrived.message.body.length;
  }

  #tell(): void {
    this.#changed.resolve(undefined);
    this.#changed = Promise.withResolvers();
  }

  async #change(signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<undefined>();
    const abort = () => aborted.resolve(undefined);
    signal.addEventListener('abort', abort);
    try {
      await Promise.race([this.#changed.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/** The first that are wanted; the first of them whatever its size, for otherwise it would wait for ever. */
export function pick<Item extends { readonly message: Message }>(
  waiting: readonly Item[],
  { messages, bytes, except }: Wanted,
): readonly Item[] {
  const picked: Item[] = [];
  let pickedBytes = 0;
  for (const item of waiting) {
    if (picked.length >= messages) break;
    if (except.has(item.message.partition)) continue;
    pickedBytes += item.message.body.length;
    if (picked.length > 0 && pickedBytes > bytes) break;
    picked.push(item);
  }
  return picked;
}
