/**
 * Tells agents, every second, how many instances each version is to have. It keeps nothing on disk: when control ends, its word lapses at
 * the agents, and its successor learns the load within a window.
 */
import { type Version, type VersionId, versionIdOf } from '../model/function.ts';
import type { ScaleDecision } from '../scaling/decide.ts';
import { VersionScaler } from '../scaling/version-scaler.ts';
import { functionKey, type PublishedState } from '../wire/published-state.ts';
import type { Loads, ScalingView, VersionCapacity, VersionLoad, VersionTarget } from '../wire/scale-calls.ts';
import type { Roles } from './roles.ts';
import { SourceLags } from './source-lags.ts';

export const decideEveryMs = 1_000;
/** For so long what agents were told holds, unless it is told again. */
const validMs = 10_000;

type Served = Pick<PublishedState, 'functions' | 'routings'>;

export interface AutoscalerMeans {
  readonly state: () => Served;
  readonly roles: Pick<Roles, 'loads' | 'capacity' | 'lags' | 'tellTargets'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Versions of which there may be something to say without any request. */
interface Watched {
  readonly of: Served | undefined;
  /** For a clock. */
  readonly clocked: readonly Version[];
  /** For the messages that wait. */
  readonly bySources: readonly Version[];
}

/** What was told of a version since the last look. */
interface Told {
  readonly load: VersionLoad | undefined;
  readonly capacity: VersionCapacity | undefined;
  readonly messages: number;
}

/** What is known of a version that has, or lately had, anything to do. */
interface Known {
  readonly version: Version;
  readonly scaler: VersionScaler;
  /** Sums as they were told last. */
  readonly told: { readonly busyMs: number; readonly requests: number; readonly cpuMs: number };
  readonly view: ScalingView | undefined;
}

export class Autoscaler {
  readonly #means: AutoscalerMeans;
  #known = new Map<VersionId, Known>();
  #lookedMs: number | undefined;
  /** The gateway whose sums were told last. */
  #gateway: string | undefined;
  /** Of one state, those of its versions that more than their requests may say something of: most functions have none, and there are many. */
  #watched: Watched = { of: undefined, clocked: [], bySources: [] };
  readonly #lags = new SourceLags();

  constructor(means: AutoscalerMeans) {
    this.#means = means;
  }

  /** Why the numbers of a function's versions are what they are; empty for one that has nothing to do. */
  viewsOf(tenant: string, name: string): ScalingView[] {
    const ofFunction = [...this.#known.values()].filter(({ version }) => version.tenant === tenant && version.function === name);
    return ofFunction.flatMap(({ view }) => view ?? []);
  }

  /** What agents were told last. */
  get targets(): VersionTarget[] {
    return [...this.#known.values()].flatMap(targetOf);
  }

  /** Looks once, decides, and tells. While a role is away that has to be asked, nothing is decided. */
  async look(): Promise<void> {
    const { roles, now } = this.#means;
    const [loads, capacity] = await Promise.all([roles.loads(), roles.capacity()]);
    if (loads === undefined || capacity === undefined) return;
    const nowMs = now();
    const spanMs = this.#lookedMs === undefined ? decideEveryMs : Math.max(1, nowMs - this.#lookedMs);
    const targets = this.#decide(loads, capacity, spanMs, nowMs);
    this.#lookedMs = nowMs;
    this.#gateway = loads.process;
    const state = this.#means.state();
    roles.tellTargets({ validMs, targets }, (target) => find(state, target));
  }

  /** Asks how many messages wait for those that scale by it. Apart from the rest: a broker that is slow holds up nobody's scaling but theirs. */
  async learnLags(): Promise<void> {
    const { roles, now } = this.#means;
    const functions = this.#watch().bySources.map(({ tenant, function: name }) => ({ tenant, function: name }));
    const lags = functions.length === 0 ? [] : await roles.lags(functions);
    if (lags !== undefined) this.#lags.take(lags, now());
  }

  #decide({ process, loads }: Loads, capacity: readonly VersionCapacity[], spanMs: number, nowMs: number): VersionTarget[] {
    const loadOf = new Map(loads.map((load) => [versionIdOf(load), load]));
    const capacityOf = new Map(capacity.map((one) => [versionIdOf(one), one]));
    const next = new Map<VersionId, Known>();
    const isFirst = this.#gateway === undefined;
    const isOther = !isFirst && process !== this.#gateway;
    for (const version of this.#concerned(loads, nowMs)) {
      const id = versionIdOf(version);
      const load = loadOf.get(id);
      const before = this.#known.get(id);
      const known = before === undefined ? startedKnown(version, load, isFirst, nowMs) : isOther ? fromZero(before) : before;
      const messages = this.#messagesFor(version, nowMs);
      const after = step(known, { load, capacity: capacityOf.get(id), messages }, spanMs, nowMs);
      if (!after.scaler.isQuiet || VersionScaler.isClocked(version, nowMs)) next.set(id, after);
    }
    this.#known = next;
    return this.targets;
  }

  /** Of a function's versions the serving one has its sources. */
  #messagesFor(version: Version, nowMs: number): number {
    return this.#watched.bySources.includes(version) ? this.#lags.of(version, nowMs) : 0;
  }

  #watch(): Watched {
    const state = this.#means.state();
    if (this.#watched.of !== state) this.#watched = watchedOf(state);
    return this.#watched;
  }

  /** The versions that serve and of which there is anything to say: for their load, for what is known of them, for messages, or for a clock. */
  #concerned(loads: readonly VersionLoad[], nowMs: number): Iterable<Version> {
    const state = this.#means.state();
    const { clocked, bySources } = this.#watch();
    const concerned = new Map<VersionId, Version>();
    const add = (version: Version | undefined) => version !== undefined && concerned.set(versionIdOf(version), version);
    for (const load of loads) add(find(state, load));
    for (const { version } of this.#known.values()) add(find(state, version));
    for (const version of bySources) if (this.#lags.of(version, nowMs) > 0) add(version);
    for (const version of clocked) if (VersionScaler.isClocked(version, nowMs)) add(version);
    return concerned.values();
  }
}

function watchedOf(state: Served): Watched {
  return {
    of: state,
    clocked: [...versionsOf(state)].filter(mayBeClocked),
    bySources: [...state.functions.values()].filter(({ config: { scale } }) => scale.thresholds.lag !== undefined),
  };
}

function* versionsOf({ functions, routings }: Served): Iterable<Version> {
  for (const [key, serving] of functions) {
    yield serving;
    yield* routings.get(key)?.others ?? [];
  }
}

const mayBeClocked = ({ config: { scale } }: Version): boolean => scale.schedules.length > 0 || scale.initial > 0;

function find(
  { functions, routings }: Served,
  { tenant, function: name, number }: Pick<Version, 'tenant' | 'function' | 'number'>,
): Version | undefined {
  const key = functionKey(tenant, name);
  const serving = functions.get(key);
  return serving?.number === number ? serving : routings.get(key)?.others.find((other) => other.number === number);
}

/**
 * Of a version that nobody has looked at yet.
 * @param isFirst this process has just begun to look: what was counted before is no load of now. Else the version had nothing to do before
 */
function startedKnown(version: Version, load: VersionLoad | undefined, isFirst: boolean, nowMs: number): Known {
  const scaler = VersionScaler.of(version);
  if (!isFirst) scaler.skip(Math.min(Math.max(0, nowMs - Date.parse(version.createdAt)), version.config.scale.windowMs));
  const { busyMs, requests } = isFirst && load !== undefined ? load : { busyMs: 0, requests: 0 };
  return { version, scaler, told: { busyMs, requests, cpuMs: 0 }, view: undefined };
}

/** Another gateway has come in the place of the one that told: its sums began at 0. */
const fromZero = (known: Known): Known => ({ ...known, told: { ...known.told, busyMs: 0, requests: 0 } });

/** Sums that have become less began anew, as those of a version do that was gone for a moment; so do those of one that was not told of. */
const comparedWith = (told: Known['told'], load: VersionLoad | undefined): Known['told'] =>
  load === undefined || load.requests < told.requests ? { ...told, busyMs: 0, requests: 0 } : told;

function step({ version, scaler, told: before }: Known, { load, capacity, messages }: Told, spanMs: number, nowMs: number): Known {
  const told = comparedWith(before, load);
  // A version that is not told of has had nothing to do.
  const { busyMs, requests } = load ?? told;
  const { cpuMs, memory, running } = capacity ?? { cpuMs: 0, memory: 0, running: 0 };
  const sample = {
    spanMs,
    busyMs: Math.max(0, busyMs - told.busyMs),
    requests: Math.max(0, requests - told.requests),
    // Of an instance that has ended nothing is told any more.
    cpuMs: Math.max(0, cpuMs - told.cpuMs),
    memory,
    messages,
  };
  const inFlight = load?.inFlight ?? 0;
  const decision = scaler.step(sample, { inFlight, running }, nowMs);
  return { version, scaler, told: { busyMs, requests, cpuMs }, view: viewOf(version, decision, inFlight, running) };
}

function viewOf({ number }: Version, { wanted, limitedBy, ...numbers }: ScaleDecision, inFlight: number, running: number): ScalingView {
  const { instances, ...why } = wanted;
  return { version: number, ...numbers, running, inFlight, wanted: instances, ...why, ...(limitedBy === undefined ? {} : { limitedBy }) };
}

function targetOf({ version: { tenant, function: name, number }, view }: Known): VersionTarget[] {
  if (view === undefined) return [];
  const { target, minimum, maximum } = view;
  return [{ tenant, function: name, number, target, minimum, maximum }];
}
