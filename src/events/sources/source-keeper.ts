/** Has a consumer for each source that the functions declare, while nobody has paused it. */
import { addAbortListener } from 'node:events';
import { SwiftletError } from '../../model/errors.ts';
import type { Version } from '../../model/function.ts';
import { functionKey } from '../../wire/published-state.ts';
import type { FunctionLag } from '../../wire/scale-calls.ts';
import type { SourceView } from '../../wire/source-calls.ts';
import type { FunctionRef } from '../event-log.ts';
import type { MessageEnd, RunnerMeans } from './batch-runner.ts';
import { SourceConsumer } from './consumer.ts';
import { consumerOf, type DeclaredSource, declaredSources, isSame, secretsOf, startOf, type VariableOf } from './declared-sources.ts';
import { holdLimitsOf } from './hold.ts';
import { loadDriver } from './kinds.ts';
import type { LocalMeans, SourceDriver, SourceMeans } from './source.ts';
import type { SourceState } from './source-state.ts';
import { sourceKey, type SourceRef, type SourceStore } from './source-store.ts';

export interface KeeperMeans extends Omit<RunnerMeans, 'ref' | 'config' | 'limits' | 'counted'> {
  readonly store: SourceStore;
  readonly local?: LocalMeans;
  readonly limits: (ref: FunctionRef) => ReturnType<RunnerMeans['limits']>;
  readonly counted: (source: SourceRef, what: MessageEnd, count: number) => void;
  readonly variableOf: VariableOf;
  /** These sources are declared now, and no others. */
  readonly followed: (keys: ReadonlySet<string>) => void;
  /** For tests; by default the kinds that there are. */
  readonly load?: (source: DeclaredSource, means: SourceMeans) => Promise<SourceDriver>;
}

/** A source that is declared, or whose consumer is still to end. */
interface Entry {
  /** Undefined: it is gone. */
  declared: DeclaredSource | undefined;
  running: { readonly declared: DeclaredSource; readonly consumer: SourceConsumer } | undefined;
  /** What makes it as it is declared; one at a time. */
  change: Promise<void> | undefined;
}

export interface SourceSample {
  readonly ref: SourceRef;
  readonly isRunning: boolean;
  readonly lag: () => Promise<number | undefined>;
}

export class SourceKeeper {
  readonly #means: KeeperMeans;
  readonly #entries = new Map<string, Entry>();
  readonly #paused: Set<string>;
  /** Breaks off what is being worked on: nobody waits longer than a stop may take, also not a change that was under way. */
  readonly #graceOver = new AbortController();
  #isStopping = false;

  private constructor(means: KeeperMeans, paused: Set<string>) {
    this.#means = means;
    this.#paused = paused;
  }

  static async open(means: KeeperMeans): Promise<SourceKeeper> {
    return new SourceKeeper(means, new Set((await means.store.paused()).map(sourceKey)));
  }

  /** The functions have changed, or values of their variables: their sources are begun, changed and ended accordingly. */
  follow(functions: ReadonlyMap<string, Version>): void {
    const declared = declaredSources(functions.values(), this.#means.variableOf);
    for (const [key, source] of declared) {
      const entry = this.#entries.get(key) ?? { declared: undefined, running: undefined, change: undefined };
      if (entry.declared === undefined || !isSame(entry.declared, source)) entry.declared = source;
      this.#entries.set(key, entry);
      void this.#change(key, entry);
    }
    for (const [key, entry] of this.#entries) {
      if (declared.has(key)) continue;
      entry.declared = undefined;
      void this.#change(key, entry);
    }
    this.#means.followed(new Set(declared.keys()));
  }

  /** @throws SwiftletError NotFound */
  async pause(ref: SourceRef): Promise<SourceView> {
    const key = this.#demand(ref);
    await this.#means.store.pause(ref, this.#means.now());
    this.#paused.add(key);
    return this.#changed(ref, key);
  }

  /** @throws SwiftletError NotFound */
  async resume(ref: SourceRef): Promise<SourceView> {
    const key = this.#demand(ref);
    await this.#means.store.resume(ref);
    this.#paused.delete(key);
    return this.#changed(ref, key);
  }

  async views(tenant: string, name: string | undefined): Promise<SourceView[]> {
    const entries = [...this.#entries].filter(
      ([, { declared }]) => declared?.ref.tenant === tenant && (name === undefined || declared.ref.function === name),
    );
    const views = await Promise.all(entries.map(([key, entry]) => this.#viewOf(key, entry)));
    return views.filter((view) => view !== undefined);
  }

  /** How many messages of these functions' sources wait, as far as their servers tell, or are being worked on. */
  lags(functions: readonly FunctionRef[]): Promise<FunctionLag[]> {
    const entries = Map.groupBy(this.#entries.values(), ({ declared }) =>
      declared === undefined ? undefined : functionKey(declared.ref.tenant, declared.ref.function),
    );
    return Promise.all(
      functions.map(async ({ tenant, function: name }) => {
        const messages = await Promise.all((entries.get(functionKey(tenant, name)) ?? []).map(messagesOf));
        return { tenant, function: name, messages: messages.reduce((sum, count) => sum + count, 0) };
      }),
    );
  }

  /** What each source that is declared is like now. */
  samples(): SourceSample[] {
    return [...this.#entries.values()].flatMap(({ declared, running }) => {
      if (declared === undefined) return [];
      const isRunning = running?.consumer.state.kind === 'running';
      return [{ ref: declared.ref, isRunning, lag: () => running?.consumer.lag() ?? Promise.resolve(undefined) }];
    });
  }

  /** Takes no more, and resolves when what is being worked on has ended; after the grace it is broken off. */
  async stop(graceOver: AbortSignal): Promise<void> {
    this.#isStopping = true;
    using _late = addAbortListener(graceOver, () => this.#graceOver.abort());
    await Promise.all([...this.#entries].map(([key, entry]) => this.#change(key, entry)));
  }

  #change(key: string, entry: Entry): Promise<void> {
    entry.change ??= this.#settle(key, entry);
    return entry.change;
  }

  /** Ends and begins consumers until there is the one that is wanted, or none. */
  async #settle(key: string, entry: Entry): Promise<void> {
    // Its promise is to be there before it ends.
    await Promise.resolve();
    for (;;) {
      const wanted = this.#wantedOf(key, entry);
      if (entry.running?.declared === wanted) break;
      if (entry.running !== undefined) {
        // A change waits for what is being worked on: each delivery has its limit.
        await entry.running.consumer.stop(this.#graceOver.signal);
        entry.running = undefined;
      } else if (wanted !== undefined) entry.running = { declared: wanted, consumer: this.#begin(wanted) };
    }
    entry.change = undefined;
    if (entry.declared === undefined) this.#entries.delete(key);
  }

  #wantedOf(key: string, { declared }: Entry): DeclaredSource | undefined {
    if (declared === undefined || !declared.config.enabled || this.#paused.has(key) || this.#isStopping) return undefined;
    return declared;
  }

  #begin(declared: DeclaredSource): SourceConsumer {
    const { ref, config } = declared;
    const { deliver, deadLetter, places, now, chance, trouble, limits, counted, local, load = loadKind } = this.#means;
    const sourceMeans: SourceMeans = {
      consumer: consumerOf(declared),
      start: startOf(config),
      isOrdered: config.order !== 'none',
      most: holdLimitsOf(config),
      ...(local === undefined ? {} : { local }),
      secret: secretsOf(declared, (what) => new SwiftletError('SourceInvalid', what)),
    };
    return new SourceConsumer({
      deliver,
      deadLetter,
      places,
      now,
      chance,
      trouble,
      ref,
      config,
      limits: () => limits(ref),
      counted: (what, count) => counted(ref, what, count),
      load: () => load(declared, sourceMeans),
    });
  }

  #demand(ref: SourceRef): string {
    const key = sourceKey(ref);
    if (this.#entries.get(key)?.declared !== undefined) return key;
    throw new SwiftletError('NotFound', `function "${ref.function}" has no source "${ref.source}"`);
  }

  async #changed(ref: SourceRef, key: string): Promise<SourceView> {
    const entry = this.#entries.get(key);
    // A pause is answered at once: what is being worked on ends by and by.
    if (entry !== undefined) void this.#change(key, entry);
    const view = entry === undefined ? undefined : await this.#viewOf(key, entry);
    if (view === undefined) throw new SwiftletError('NotFound', `function "${ref.function}" has no source "${ref.source}" any more`);
    return view;
  }

  async #viewOf(key: string, { declared, running }: Entry): Promise<SourceView | undefined> {
    if (declared === undefined) return undefined;
    const { ref, config } = declared;
    const state = this.#stateOf(key, declared, running?.consumer);
    const lag = await running?.consumer.lag();
    const held = running?.consumer.held ?? { messages: 0, working: 0 };
    return {
      function: ref.function,
      name: ref.source,
      kind: config.origin.kind,
      state: state.kind,
      ...errorOf(state),
      ...(state.kind === 'broken' ? { retryAt: new Date(state.retryAtMs).toISOString() } : {}),
      ...(lag === undefined ? {} : { lag }),
      held: held.messages,
      working: held.working,
    };
  }

  #stateOf(key: string, { config }: DeclaredSource, consumer: SourceConsumer | undefined): SourceState {
    if (!config.enabled) return { kind: 'disabled' };
    if (this.#paused.has(key)) return { kind: 'paused' };
    return consumer?.state ?? { kind: 'connecting' };
  }
}

async function messagesOf({ running }: Entry): Promise<number> {
  if (running === undefined) return 0;
  const waiting = (await running.consumer.lag()) ?? 0;
  return waiting + running.consumer.held.messages;
}

const errorOf = (state: SourceState): Pick<SourceView, 'error'> => ('error' in state ? { error: state.error } : {});

const loadKind = ({ config: { origin } }: DeclaredSource, means: SourceMeans): Promise<SourceDriver> => loadDriver(origin, means);
