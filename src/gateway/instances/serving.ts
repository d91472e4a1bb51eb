/**
 * What this gateway serves: of each function the versions, and which of them its names stand for. Only functions that somebody has
 * asked for are made ready, so that it is no matter how many others there are.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { AgentNumber } from '../../model/fleet.ts';
import { type Version, versionIdOf } from '../../model/function.ts';
import { aliasMark, allTo, liveAlias, type Sticky } from '../../model/traffic.ts';
import type { Watched } from '../../wire/gateway-calls.ts';
import type { VersionLoad } from '../../wire/scale-calls.ts';
import type { PublishedState } from '../../wire/published-state.ts';
import { plainRouting, type Routing } from '../../wire/routing.ts';
import { choose, divide, type Division, pointByChance, pointOf } from '../routing/choose.ts';
import { functionOf } from '../request/failures.ts';
import { FunctionGuards } from '../protection/function-guards.ts';
import type { FunctionFigures } from '../figures/metrics.ts';
import { ServedVersion } from './served-version.ts';
import { stickyValue } from '../routing/sticky-value.ts';
import type { TenantMeter } from '../protection/tenant-meter.ts';
import { Watch } from '../routing/watch.ts';

/** A version that had nothing to do for so long is not told of: nobody misses a look for longer. */
const toldForMs = 10_000;

/** Where requests that come by one name go. */
interface Destination extends Division<ServedVersion> {
  readonly sticky: Sticky | undefined;
  /** The function's key: the same caller gets different points of different functions. */
  readonly seed: string;
}

/** A function that somebody has asked for. */
interface ServedFunction {
  readonly serving: Version;
  readonly routing: Routing;
  /** By their numbers. */
  readonly versions: ReadonlyMap<number, ServedVersion>;
  /** By the key of the function, or of one of its aliases: `tenant/function:alias`. */
  readonly destinations: ReadonlyMap<string, Destination>;
}

export interface ServingMeans {
  readonly meterOf: (tenant: string) => TenantMeter;
  readonly figuresOf: (version: Version) => FunctionFigures;
  /** From 0 to 1, exclusive. */
  readonly chance: () => number;
  /** The agents that a version's instances may be at, by parts whose requests do not mix: one part, unless the function divides them by groups. */
  readonly partsOf: (version: Version) => readonly (readonly AgentNumber[])[];
}

export class Serving {
  readonly #means: ServingMeans;
  #functions: PublishedState['functions'] = new Map();
  #routings: PublishedState['routings'] = new Map();
  /** By their keys. */
  readonly #served = new Map<string, ServedFunction>();
  /** Of all that are served, for one look at a request's way. */
  readonly #destinations = new Map<string, Destination>();
  readonly #guards = new FunctionGuards();

  constructor(means: ServingMeans) {
    this.#means = means;
  }

  /** All versions that are served, of functions that somebody has asked for. */
  get all(): Iterable<ServedVersion> {
    return this.#whole().flatMap((served) => [served, ...served.others]);
  }

  /** The same, each once. */
  #whole(): IteratorObject<ServedVersion> {
    return this.#served.values().flatMap(({ versions }) => versions.values());
  }

  /** Requests that wait for an instance of any. */
  get waiting(): number {
    let waiting = 0;
    for (const served of this.all) waiting += served.waiting;
    return waiting;
  }

  /** Takes a new state. @returns the versions that serve no more */
  take({ functions, routings }: PublishedState): ServedVersion[] {
    this.#functions = functions;
    this.#routings = routings;
    this.#guards.take(functions);
    const gone: ServedVersion[] = [];
    for (const [key, before] of this.#served) {
      if (functions.get(key) === before.serving && (routings.get(key) ?? plainRouting) === before.routing) continue;
      for (const name of before.destinations.keys()) this.#destinations.delete(name);
      const now = this.#make(key, before.versions);
      for (const [number, served] of before.versions) if (now?.versions.get(number) !== served) gone.push(served, ...served.others);
    }
    return gone;
  }

  /** The version that stands for a function. */
  find(key: string): Version | undefined {
    return this.#functions.get(key);
  }

  /** A version by its id, when it is served. */
  version(id: string): ServedVersion | undefined {
    const mark = id.lastIndexOf('@');
    return mark < 0 ? undefined : this.#ready(id.slice(0, mark))?.versions.get(Number(id.slice(mark + 1)));
  }

  /** How the versions of a function did since they are watched. */
  watched(key: string): Watched {
    const served = [...(this.#ready(key)?.versions.values() ?? [])];
    return {
      watch: served[0]?.watch?.id,
      versions: served.flatMap(({ version, watch }) => (watch === undefined ? [] : [watch.countsOf(version.number)])),
    };
  }

  /** What the versions had to do that had anything lately. One that is not told of begins at 0 when it is again. */
  loads(nowMs: number): VersionLoad[] {
    const busy: ServedVersion[] = [];
    for (const served of this.#whole())
      if (waitingFor(served) > 0 || served.load.wasBusyWithin(toldForMs, nowMs)) busy.push(served);
      else served.load.forget();
    return busy.map((served) => {
      const { version, load } = served;
      const { tenant, function: name, number } = version;
      const inFlight = load.busy + waitingFor(served);
      return { tenant, function: name, number, busyMs: load.busyMs(nowMs), requests: load.requests, inFlight };
    });
  }

  /** Whether there is anything by this key: a function's, or that of one of its aliases. */
  serves(key: string): boolean {
    return this.#destinations.has(key) || this.#ready(functionOf(key))?.destinations.has(key) === true;
  }

  /** The version that a request goes to. @param key the function's, or that of one of its aliases */
  choose(key: string, headers: IncomingHttpHeaders): ServedVersion | undefined {
    const destination = this.#destinations.get(key) ?? this.#ready(functionOf(key))?.destinations.get(key);
    if (destination === undefined || destination.parts.length === 0) return destination?.rest;
    const { sticky, seed } = destination;
    const value = sticky === undefined ? undefined : stickyValue(sticky, headers);
    return choose(destination, value === undefined ? pointByChance(this.#means.chance()) : pointOf(value, seed));
  }

  /** Where a request goes on that waited for a version which serves no more. @param wanted the id of a version, or as in `choose` */
  successor(wanted: string, headers: IncomingHttpHeaders): ServedVersion | undefined {
    return this.version(wanted) ?? this.choose(wanted, headers);
  }

  /** A function, made ready if it was not. */
  #ready(key: string): ServedFunction | undefined {
    return this.#served.get(key) ?? this.#make(key, new Map());
  }

  /** @param before its versions until now, which go on as they are where they still serve @returns undefined when there is no such function */
  #make(key: string, before: ReadonlyMap<number, ServedVersion>): ServedFunction | undefined {
    const serving = this.#functions.get(key);
    if (serving === undefined) {
      this.#served.delete(key);
      return undefined;
    }
    const routing = this.#routings.get(key) ?? plainRouting;
    const serve = (version: Version) => [version.number, this.#serve(key, version, routing.watch, before)] as const;
    const versions = new Map([serving, ...routing.others].map(serve));
    const made = { serving, routing, versions, destinations: destinationsOf(key, serving.number, routing, versions) };
    this.#served.set(key, made);
    for (const [name, destination] of made.destinations) this.#destinations.set(name, destination);
    return made;
  }

  #serve(key: string, version: Version, watch: number | undefined, before: ReadonlyMap<number, ServedVersion>): ServedVersion {
    const known = before.get(version.number);
    const isSame = known !== undefined && versionIdOf(known.version) === versionIdOf(version);
    const served = isSame ? known : this.#new(key, version);
    if (served.watch?.id !== watch) served.watch = watch === undefined ? undefined : new Watch(watch);
    for (const other of served.others) other.watch = served.watch;
    return served;
  }

  #new(key: string, version: Version): ServedVersion {
    const { figuresOf, meterOf, partsOf } = this.#means;
    const guard = this.#guards.of(key, this.#functions.get(key) ?? version);
    const [first = [], ...rest] = partsOf(version);
    const served = new ServedVersion(version, key, figuresOf(version), meterOf(version.tenant), guard, first);
    served.others = rest.map((agents) => new ServedVersion(version, key, served.figures, served.meter, guard, agents, served.load));
    return served;
  }
}

const waitingFor = (served: ServedVersion): number => served.others.reduce((sum, { waiting }) => sum + waiting, served.waiting);

function destinationsOf(
  key: string,
  main: number,
  { aliases }: Routing,
  versions: ReadonlyMap<number, ServedVersion>,
): ReadonlyMap<string, Destination> {
  const rest = versions.get(main);
  const destinations = new Map<string, Destination>();
  if (rest === undefined) return destinations;
  const pointed = aliases.some(({ name }) => name === liveAlias)
    ? aliases
    : [{ name: liveAlias, versions: allTo(main), sticky: undefined }, ...aliases];
  for (const { name, versions: split, sticky } of pointed) {
    const destination = { ...divide(split, (number) => versions.get(number), rest), sticky, seed: key };
    destinations.set(`${key}${aliasMark}${name}`, destination);
    if (name === liveAlias) destinations.set(key, destination);
  }
  return destinations;
}
