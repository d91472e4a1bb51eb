/** A server that a test has in its hand, as a source. */
import { queueEvent } from '../../../src/events/sources/records.ts';
import type { Message, Source, SourceDriver, Wanted } from '../../../src/events/sources/source.ts';
import { messageOf } from './messages.ts';

/** A server: what is sent to it is given out when it is asked for, and again when its connection was broken. */
export class FakeServer {
  readonly queue: Message[] = [];
  readonly out = new Map<string, Message>();
  readonly acknowledged: string[] = [];
  readonly asked: Wanted[] = [];
  opened = 0;
  closed = 0;
  refusal: Error | undefined;
  /** Opening takes as long as this. */
  opens: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => undefined;
  #breaks: Error | undefined;

  send(...ids: string[]): void {
    // The letter of an id is its key.
    this.queue.push(...ids.map((id) => messageOf(id, { key: id.slice(0, 1) })));
    this.#wake();
  }

  break(error: Error): void {
    this.#breaks = error;
    this.#wake();
  }

  readonly driver: SourceDriver = {
    keepsMessages: true,
    dataKey: undefined,
    eventOf: queueEvent,
    open: async () => {
      this.opened += 1;
      await this.opens;
      if (this.refusal !== undefined) throw this.refusal;
      this.queue.unshift(...this.out.values());
      this.out.clear();
      this.#breaks = undefined;
      return this.#source();
    },
  };

  #source(): Source {
    return {
      dropped: 0,
      next: async (wanted, signal) => {
        this.asked.push(wanted);
        while (this.queue.length === 0 && this.#breaks === undefined && !signal.aborted) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
        }
        if (this.#breaks !== undefined) throw this.#breaks;
        const given = signal.aborted ? [] : this.queue.splice(0, wanted.messages);
        for (const message of given) this.out.set(message.id, message);
        return given;
      },
      acknowledge: (messages) => {
        if (this.#breaks !== undefined) return Promise.reject(this.#breaks);
        for (const { id } of messages) {
          this.out.delete(id);
          this.acknowledged.push(id);
        }
        return Promise.resolve();
      },
      giveBack: (messages) => {
        for (const { id } of messages) this.out.delete(id);
        this.queue.unshift(...messages);
        return Promise.resolve();
      },
      lag: () => Promise.resolve(this.queue.length),
      [Symbol.asyncDispose]: () => {
        this.closed += 1;
        return Promise.resolve();
      },
    };
  }
}
