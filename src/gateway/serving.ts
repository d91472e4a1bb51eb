/** What this gateway serves: of each function the versions, and which of them its names stand for. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Version, versionIdOf } from '../model/function.ts';
import { aliasMark, allTo, liveAlias, type Sticky } from '../model/traffic.ts';
import type { Watched } from '../wire/gateway-calls.ts';
import type { PublishedState } from '../wire/published-state.ts';
import { plainRouting, type Routing } from '../wire/routing.ts';
import { choose, divide, type Division, pointByChance, pointOf } from './choose.ts';
import type { FunctionFigures } from './metrics.ts';
import { ServedVersion } from './served-version.ts';
import { stickyValue } from './sticky-value.ts';
import { Watch } from './watch.ts';

/** Where requests that come by one name go. */
interface Destination extends Division<ServedVersion> {
  readonly sticky: Sticky | undefined;
  /** The function's key: the same caller gets different points of different functions. */
  readonly seed: string;
}

export interface ServingMeans {
  readonly figuresOf: (version: Version) => FunctionFigures;
  /** From 0 to 1, exclusive. */
  readonly chance: () => number;
}

export class Serving {
  readonly #means: ServingMeans;
  /** SHA-256 of the platform's tokens, in hex. */
  tokenHashes: readonly string[] = [];
  #functions: ReadonlyMap<string, Version> = new Map();
  /** By the key of a function, or of one of its aliases: `tenant/function:alias`. */
  #destinations = new Map<string, Destination>();
  /** By their ids. */
  #versions = new Map<string, ServedVersion>();

  constructor(means: ServingMeans) {
    this.#means = means;
  }

  /** All versions that are served. */
  get all(): Iterable<ServedVersion> {
    return this.#versions.values();
  }

  /** Takes a new state. @returns the versions that serve no more */
  take(state: PublishedState): ServedVersion[] {
    const before = this.#versions;
    this.#versions = new Map();
    this.#destinations = new Map();
    this.#functions = state.functions;
    this.tokenHashes = state.tokenHashes;
    for (const [key, version] of state.functions) this.#add(key, version, state.routings.get(key) ?? plainRouting, before);
    return [...before].filter(([id, served]) => this.#versions.get(id) !== served).map(([, served]) => served);
  }

  /** The version that stands for a function. */
  find(key: string): Version | undefined {
    return this.#functions.get(key);
  }

  /** A version by its id, when it is served. */
  version(id: string): ServedVersion | undefined {
    return this.#versions.get(id);
  }

  /** How the versions of a function did since they are watched. */
  watched(key: string): Watched {
    const served = [...this.#versions.values()].filter((one) => one.key === key);
    return {
      watch: served[0]?.watch?.id,
      versions: served.flatMap(({ version, watch }) => (watch === undefined ? [] : [watch.countsOf(version.number)])),
    };
  }

  /** The version that a request goes to. @param key the function's, or that of one of its aliases */
  choose(key: string, headers: IncomingHttpHeaders): ServedVersion | undefined {
    const destination = this.#destinations.get(key);
    if (destination === undefined || destination.parts.length === 0) return destination?.rest;
    const { sticky, seed } = destination;
    const value = sticky === undefined ? undefined : stickyValue(sticky, headers);
    return choose(destination, value === undefined ? pointByChance(this.#means.chance()) : pointOf(value, seed));
  }

  /** Where a request goes on that waited for a version which serves no more. @param wanted the id of a version, or as in `choose` */
  successor(wanted: string, headers: IncomingHttpHeaders): ServedVersion | undefined {
    return this.#versions.get(wanted) ?? this.choose(wanted, headers);
  }

  #add(key: string, serving: Version, { others, aliases, watch }: Routing, before: ReadonlyMap<string, ServedVersion>): void {
    const main = this.#serve(key, serving, watch, before);
    const byNumber = new Map([[serving.number, main]]);
    for (const version of others) byNumber.set(version.number, this.#serve(key, version, watch, before));
    const pointed = aliases.some(({ name }) => name === liveAlias)
      ? aliases
      : [{ name: liveAlias, versions: allTo(serving.number), sticky: undefined }, ...aliases];
    for (const { name, versions, sticky } of pointed) {
      const destination = { ...divide(versions, (number) => byNumber.get(number), main), sticky, seed: key };
      this.#destinations.set(`${key}${aliasMark}${name}`, destination);
      if (name === liveAlias) this.#destinations.set(key, destination);
    }
  }

  #serve(key: string, version: Version, watch: number | undefined, before: ReadonlyMap<string, ServedVersion>): ServedVersion {
    const id = versionIdOf(version);
    const served = before.get(id) ?? new ServedVersion(version, key, this.#means.figuresOf(version));
    if (served.watch?.id !== watch) served.watch = watch === undefined ? undefined : new Watch(watch);
    this.#versions.set(id, served);
    return served;
  }
}
