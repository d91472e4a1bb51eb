/**
 * Consumes one source for its function: opens it, takes what can be worked on and no more, and has it handed out. When the source breaks
 * it is opened again.
 */
import { SwiftletError } from '../../model/errors.ts';
import { filterOf } from '../../model/filter-pattern.ts';
import type { EventError } from '../../wire/event-calls.ts';
import { BatchRunner, type RunnerMeans } from './batch-runner.ts';
import { filterViewOf } from './filter-view.ts';
import { Hold } from './hold.ts';
import { patience } from './patience.ts';
import type { Message, Source, SourceDriver, Wanted } from './source.ts';
import { openPauseMs, type SourceState } from './source-state.ts';

/** A source that was open for so long was well: when it breaks, that is its first failure again. */
const steadyMs = 10_000;
/** So long a server may think about its lag. */
const lagLimitMs = 1_000;

export interface ConsumerMeans extends RunnerMeans {
  /** Loads the driver. What it rejects with is a fault of the source, and it is called again. */
  readonly load: () => Promise<SourceDriver>;
}

/** What a consumer needs as long as it lives, over its source's connections. */
interface Loaded {
  readonly driver: SourceDriver;
  readonly runner: BatchRunner;
}

export class SourceConsumer implements AsyncDisposable {
  readonly #means: ConsumerMeans;
  readonly #hold: Hold;
  readonly #filter: ReturnType<typeof filterOf>;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #loaded: Loaded | undefined;
  #source: Source | undefined;
  #lostCounted = 0;
  #lastLag: number | undefined;
  #state: SourceState = { kind: 'connecting' };
  #roomChanged: () => void = () => undefined;
  #graceOver: AbortSignal = new AbortController().signal;

  /** Begins at once. */
  constructor(means: ConsumerMeans) {
    this.#means = means;
    this.#hold = new Hold(means.config);
    this.#filter = filterOf(means.config.filters);
    this.#running = this.#run();
  }

  get state(): SourceState {
    return this.#state;
  }

  /** Messages that were taken and not settled, and how many of them are being worked on. */
  get held(): { readonly messages: number; readonly working: number } {
    return { messages: this.#hold.size, working: this.#hold.working };
  }

  /** @see Source.lag; undefined while it is not open, or cannot tell. Of a server that does not answer in time, the last that was known. */
  async lag(): Promise<number | undefined> {
    this.#countLost();
    const source = this.#source;
    if (source === undefined) return undefined;
    const answered = new AbortController();
    const asked = source.lag().then(
      (lag) => (this.#lastLag = lag),
      () => undefined,
    );
    try {
      return await Promise.race([asked, patience(lagLimitMs, answered.signal).then(() => this.#lastLag)]);
    } finally {
      answered.abort();
    }
  }

  /**
   * Takes no more, and resolves when what is being worked on has ended and all else was given back.
   * @param graceOver what is being worked on is broken off then
   */
  async stop(graceOver: AbortSignal): Promise<void> {
    this.#graceOver = graceOver;
    this.#stopped.abort();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop(AbortSignal.abort());
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    for (let failures = 0; !signal.aborted; ) {
      this.#state = this.#state.kind === 'broken' ? { kind: 'connecting', error: this.#state.error } : { kind: 'connecting' };
      let openedMs = Number.POSITIVE_INFINITY;
      try {
        const { driver, runner } = (this.#loaded ??= await this.#load());
        await using source = await driver.open(signal);
        openedMs = this.#means.now();
        await this.#consume(source, driver, runner);
      } catch (error) {
        failures = this.#means.now() - openedMs >= steadyMs ? 1 : failures + 1;
        await this.#waitAfter(error, failures);
      }
    }
    await this.#loaded?.runner.stop(this.#graceOver);
  }

  async #load(): Promise<Loaded> {
    const driver = await this.#means.load();
    const runner = new BatchRunner(this.#means, driver, this.#hold, {
      roomChanged: () => this.#roomChanged(),
      hindered: (error) => {
        if (this.#state.kind === 'running') this.#state = error === undefined ? { kind: 'running' } : { kind: 'running', error };
      },
    });
    return { driver, runner };
  }

  async #waitAfter(error: unknown, failures: number): Promise<void> {
    // What a stop broke off is no fault.
    if (this.#stopped.signal.aborted) return;
    const { chance, now } = this.#means;
    const fault = this.#faultOf(error);
    const pauseMs = openPauseMs(failures, fault.code, chance());
    this.#state = { kind: 'broken', error: fault, retryAtMs: now() + pauseMs };
    await patience(pauseMs, this.#stopped.signal);
  }

  /** Consumes an open source until it breaks, or this is to stop. @throws what it broke with */
  async #consume(source: Source, driver: SourceDriver, runner: BatchRunner): Promise<void> {
    this.#source = source;
    this.#lostCounted = 0;
    this.#state = { kind: 'running' };
    runner.source = source;
    runner.wake();
    try {
      await this.#pull(source, driver, runner);
      // What is being worked on is still acknowledged, while the source is there.
      await runner.stop(this.#graceOver);
      await source.giveBack(this.#hold.release());
    } catch (error) {
      this.#hold.lose();
      throw error;
    } finally {
      this.#countLost();
      this.#source = undefined;
      runner.source = undefined;
    }
  }

  async #pull(source: Source, driver: SourceDriver, runner: BatchRunner): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const changed = new AbortController();
      this.#roomChanged = () => changed.abort();
      const either = AbortSignal.any([signal, changed.signal]);
      const wanted = this.#hold.room();
      if (wanted === undefined) await aborted(either);
      else await this.#take(await source.next(wanted, waitsFor(wanted, signal, either)), driver, runner);
    }
  }

  async #take(came: readonly Message[], { dataKey }: SourceDriver, runner: BatchRunner): Promise<void> {
    const { config, counted, now } = this.#means;
    const nowMs = now();
    const finished: Message[] = [];
    for (const message of came) {
      const isWanted = config.filters.length === 0 || this.#filter(filterViewOf(message, dataKey));
      if (!isWanted) counted('filtered', 1);
      if (!isWanted || this.#hold.add(message, nowMs) === 'done') finished.push(message);
    }
    runner.wake();
    await runner.acknowledge(finished);
  }

  #countLost(): void {
    const dropped = this.#source?.dropped ?? 0;
    if (dropped > this.#lostCounted) this.#means.counted('lost', dropped - this.#lostCounted);
    this.#lostCounted = dropped;
  }

  #faultOf(error: unknown): EventError {
    if (error instanceof SwiftletError) return { code: error.code, message: error.message };
    this.#means.trouble(error, 'a source failed in a way that nobody foresaw');
    return { code: 'Internal', message: 'Swiftlet made a mistake; the platform’s log has the details' };
  }
}

/** Only when partitions were left out, whose turn may come, does a change of what can be worked on end the waiting. */
const waitsFor = ({ except }: Wanted, stopped: AbortSignal, either: AbortSignal): AbortSignal => (except.size === 0 ? stopped : either);

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
