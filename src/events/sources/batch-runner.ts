/** Hands out batches of what is held: has each delivered, stores what is dead, and acknowledges what was dealt with, after that and never before. */
import { addAbortListener } from 'node:events';
import { randomUUIDv7 } from 'node:crypto';
import type { SourceConfig } from '../../model/source.ts';
import type { CallerRequest, EventError } from '../../wire/event-calls.ts';
import { type Outcome, throttlePauseMs } from '../decide.ts';
import type { Deliver } from '../deliver.ts';
import type { NewEvent } from '../event-log.ts';
import { textAsId } from '../item-failures.ts';
import { Rounds } from '../rounds.ts';
import type { Waiting } from './batch.ts';
import { deadLetterOf } from './dead-letter.ts';
import type { Hold } from './hold.ts';
import { patience } from './patience.ts';
import type { Places } from './places.ts';
import type { Message, Source, SourceDriver } from './source.ts';
import type { SourceRef } from './source-store.ts';
import { type Verdict, verdictsOf } from './verdict.ts';

const longestSleepMs = 5_000;
/** When something could not be stored or settled, it is tried again after this. */
const afterTroubleMs = 2_000;

/** What became of messages. `lost` are those that a server which keeps none gave out too fast. */
export type MessageEnd = 'succeeded' | 'failed' | 'filtered' | 'dead-lettered' | 'lost';

export interface RunnerMeans {
  readonly ref: SourceRef;
  readonly config: SourceConfig;
  readonly deliver: Deliver<CallerRequest>;
  /** Whether the function is served, and how long one delivery may take. */
  readonly limits: () => { readonly isServed: boolean; readonly deliveryMs: number };
  /** Stores a dead letter; resolves once it is on the disk. */
  readonly deadLetter: (event: NewEvent) => Promise<void>;
  readonly places: Places;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly chance: () => number;
  readonly counted: (what: MessageEnd, count: number) => void;
  readonly trouble: (error: unknown, what: string) => void;
}

export interface RunnerListeners {
  /** A batch has ended: there is more room, or in other partitions. */
  readonly roomChanged: () => void;
  /** What stands in the messages' way now; undefined when nothing does any more. */
  readonly hindered: (error: EventError | undefined) => void;
}

export class BatchRunner {
  readonly #means: RunnerMeans;
  readonly #driver: SourceDriver;
  readonly #hold: Hold;
  readonly #listeners: RunnerListeners;
  readonly #rounds: Rounds;
  readonly #stopped = new AbortController();
  /** Breaks off deliveries. */
  readonly #aborted = new AbortController();
  readonly #batches = new Set<Promise<void>>();
  /** Always the same, so that it waits for a place once. */
  readonly #wake = () => this.#rounds.wake();
  #streak = 0;
  #pausedUntilMs = 0;
  /** Where is acknowledged what is done; undefined while it is broken. */
  source: Source | undefined;

  constructor(means: RunnerMeans, driver: SourceDriver, hold: Hold, listeners: RunnerListeners) {
    this.#means = means;
    this.#driver = driver;
    this.#hold = hold;
    this.#listeners = listeners;
    this.#rounds = new Rounds({ look: (nowMs) => Promise.resolve(this.#handOut(nowMs)), now: means.now, longestSleepMs });
  }

  /** There is more to hand out. */
  wake(): void {
    this.#rounds.wake();
  }

  /** Begins no more batches, and resolves when those under way have ended and are acknowledged; after the grace they are broken off. */
  async stop(graceOver: AbortSignal): Promise<void> {
    this.#stopped.abort();
    using _late = addAbortListener(graceOver, () => this.#aborted.abort());
    await Promise.all(this.#batches);
    await this.#rounds.stop();
  }

  /** Never rejects: what could not be acknowledged is remembered, and acknowledged when it comes again. */
  async acknowledge(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    try {
      if (this.source === undefined) throw new Error('the source is broken');
      await this.source.acknowledge(messages);
    } catch {
      this.#hold.rememberDone(messages);
    }
  }

  /** @returns when there may be something to do again if nobody wakes it before */
  #handOut(nowMs: number): number {
    if (this.#stopped.signal.aborted) return Number.POSITIVE_INFINITY;
    if (nowMs < this.#pausedUntilMs) return this.#pausedUntilMs;
    for (;;) {
      const place = this.#means.places.take(this.#wake);
      if (place === undefined) return Number.POSITIVE_INFINITY;
      const found = this.#hold.take(nowMs);
      if (found.kind === 'wait') {
        place[Symbol.dispose]();
        return found.untilMs;
      }
      this.#begin(found.batch, place);
    }
  }

  #begin(batch: readonly Waiting[], place: Disposable): void {
    const work = this.#work(batch)
      .catch((error: unknown) => {
        this.#means.trouble(error, 'the messages of a batch could not be settled; they are tried again');
        const dueMs = this.#means.now() + afterTroubleMs;
        this.#hold.settle(
          batch,
          batch.map(({ attempts, isAlone }) => ({ kind: 'again', attempts, dueMs, isAlone })),
        );
      })
      .finally(() => {
        place[Symbol.dispose]();
        this.#batches.delete(work);
        this.#listeners.roomChanged();
        this.wake();
      });
    this.#batches.add(work);
  }

  async #work(batch: readonly Waiting[]): Promise<void> {
    const { config, now, counted } = this.#means;
    const outcome = await this.#invoke(batch);
    // What the stop broke off comes again, to whoever is next.
    if (this.#aborted.signal.aborted && outcome.kind !== 'answered') {
      this.#hold.settle(batch, []);
      return;
    }
    this.#noteReach(outcome);
    const verdicts = verdictsOf(batch, outcome, config, (item) => this.#idOfItem(item), now());
    const ended = await this.#endedOf(batch, verdicts);
    await this.acknowledge(this.#hold.toAcknowledge(ended));
    this.#hold.settle(batch, verdicts);
    counted('succeeded', verdicts.filter(({ kind }) => kind === 'done').length);
    counted('failed', verdicts.filter((verdict, at) => verdict.kind !== 'done' && verdict.attempts > (batch[at]?.attempts ?? 0)).length);
  }

  #invoke(batch: readonly Waiting[]): Promise<Outcome> {
    const { ref, deliver, limits } = this.#means;
    const { isServed, deliveryMs } = limits();
    const body = Buffer.from(JSON.stringify(this.#driver.eventOf(batch.map(({ message }) => message))));
    const { tenant, function: name } = ref;
    return deliver(
      { id: randomUUIDv7(), tenant, function: name, request, body, hops: 0, isServed, limitMs: deliveryMs },
      this.#aborted.signal,
    );
  }

  #idOfItem(item: unknown): string | undefined {
    return textAsId(item) ?? (typeof item === 'object' && item !== null ? this.#driver.idOfItem?.(item) : undefined);
  }

  /** Stores the dead letters of a batch. @returns those of its messages that were dealt with, one way or the other */
  async #endedOf(batch: readonly Waiting[], verdicts: readonly Verdict[]): Promise<Waiting[]> {
    const ended: Waiting[] = [];
    for (const [at, one] of batch.entries()) {
      const verdict = verdicts[at];
      if (verdict === undefined || verdict.kind === 'again') continue;
      if (verdict.kind === 'done' || (await this.#store(one.message, verdict.attempts, verdict.error))) ended.push(one);
    }
    return ended;
  }

  /** Stores a dead letter, however often that has to be tried. @returns false when this was stopped before it could be */
  async #store(message: Message, attempts: number, error: EventError): Promise<boolean> {
    const { ref, deadLetter, now, counted, trouble } = this.#means;
    const { signal } = this.#stopped;
    for (;;) {
      try {
        await deadLetter(deadLetterOf({ source: ref, message, attempts, error }, this.#driver.eventOf([message]), now()));
        counted('dead-lettered', 1);
        this.#listeners.hindered(undefined);
        return true;
      } catch (fault) {
        trouble(fault, 'a dead letter could not be stored; its message is held until it is');
        this.#listeners.hindered({ code: 'EventNotStored', message: `a dead letter could not be stored: ${messageOf(fault)}` });
        if (signal.aborted) return false;
        await patience(afterTroubleMs, signal);
      }
    }
  }

  /** A function that cannot be reached is left alone for a growing while. */
  #noteReach(outcome: Outcome): void {
    const { now, chance } = this.#means;
    const nowMs = now();
    this.#listeners.hindered(outcome.kind === 'throttled' ? outcome.error : undefined);
    if (outcome.kind !== 'throttled') this.#streak = 0;
    else if (nowMs >= this.#pausedUntilMs) {
      this.#streak += 1;
      this.#pausedUntilMs = nowMs + throttlePauseMs(this.#streak, chance());
    }
  }
}

const request: CallerRequest = { kind: 'event', method: 'POST', target: '/', sourceIp: '', headers: [], reportsItems: true };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
