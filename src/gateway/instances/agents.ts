/** The agents that a gateway asks for instances, and what it knows of each. With one of them there is nothing to know, and nothing to choose. */
import { type Version, versionIdOf } from '../../model/function.ts';
import { type AgentNumber, agentsFor, partOf } from '../../model/fleet.ts';
import type { Labels } from '../../model/groups.ts';
import type { CallClient } from '../../wire/calls.ts';
import { cachedSchema, type Offer, offerSchema } from '../../wire/placement-calls.ts';
import { functionKey } from '../../wire/published-state.ts';
import { place, type Seat } from './place.ts';
import { partsOf } from './version-parts.ts';

/** For so long an agent that refused a version is not asked for it again, while there is another one. */
const refusedForMs = 250;

/** One of them. */
export interface Agent {
  readonly number: AgentNumber;
  /** The groups that it is a part of. */
  readonly labels: Labels;
  readonly client: CallClient;
}

interface Known {
  offer: Offer | undefined;
  readonly cached: Set<string>;
  /** By version: until when it is left alone. */
  readonly refusedUntil: Map<string, number>;
  /** Starts that it was asked for and has not answered, by version. */
  readonly asked: Map<string, number>;
}

export class Agents {
  readonly all: readonly Agent[];
  /** Each one's. */
  readonly labels: readonly Labels[];
  readonly #known: readonly Known[];
  readonly #chance: () => number;

  /** @param all in the order of their numbers, one at least @param chance from 0 to 1, exclusive */
  constructor(all: readonly Agent[], chance: () => number) {
    this.all = all;
    this.labels = all.map(({ labels }) => labels);
    this.#known = all.map(() => ({ offer: undefined, cached: new Set(), refusedUntil: new Map(), asked: new Map() }));
    this.#chance = chance;
  }

  get areSeveral(): boolean {
    return this.all.length > 1;
  }

  /** Whether any is there. */
  get connected(): boolean {
    return this.all.some(({ client }) => client.connected);
  }

  /** The agents that may have a version. */
  allFor({ config }: Pick<Version, 'config'>): readonly AgentNumber[] {
    return this.areSeveral ? agentsFor(config, this.labels) : [0];
  }

  /** The same, by parts whose requests do not mix: one, unless its function divides them by groups. */
  partsFor(version: Pick<Version, 'config'>): readonly (readonly AgentNumber[])[] {
    const agents = this.allFor(version).flatMap((number) => this.all[number] ?? []);
    return partsOf(version.config.groups, agents);
  }

  /** An agent says what it can take, or what code it has. @returns whether that was it */
  heard({ number }: Agent, method: string, body: unknown): boolean {
    const known = this.#known[number];
    if (known === undefined || (method !== 'offer' && method !== 'cached')) return false;
    if (method === 'offer') known.offer = offerSchema.parse(body);
    else {
      const { isFirst, added, removed } = cachedSchema.parse(body);
      if (isFirst) known.cached.clear();
      for (const key of removed) known.cached.delete(key);
      for (const key of added) known.cached.add(key);
    }
    return true;
  }

  /**
   * Whom to ask for an instance. Whoever is asked is counted until `answered`.
   * @param among the agents that may have the version
   * @returns undefined while none of several is there
   */
  choose(version: Version, among: readonly AgentNumber[], now: number): Agent | undefined {
    if (!this.areSeveral) return this.all[0];
    const id = versionIdOf(version);
    const seats = among.flatMap((number) => this.#seat(number, version, id, now) ?? []);
    const open = seats.some(({ isOpen }) => isOpen) ? seats : seats.map((seat) => ({ ...seat, isOpen: this.#isThere(seat.agent) }));
    const chosen = place(open, version.config.memoryMiB, this.#chance);
    if (chosen === undefined) return undefined;
    const asked = this.#known[chosen]?.asked;
    asked?.set(id, (asked.get(id) ?? 0) + 1);
    return this.all[chosen];
  }

  /** One that was asked has answered. @param hasRefused it has no room for the version, or is about to go */
  answered({ number }: Agent, version: Version, hasRefused: boolean, now: number): void {
    const known = this.#known[number];
    if (!this.areSeveral || known === undefined) return;
    const id = versionIdOf(version);
    const asked = (known.asked.get(id) ?? 0) - 1;
    if (asked > 0) known.asked.set(id, asked);
    else known.asked.delete(id);
    if (hasRefused) known.refusedUntil.set(id, now + refusedForMs);
    else known.refusedUntil.delete(id);
  }

  /** Whether another one than those that have just refused may have a version. */
  hasOther(version: Version, among: readonly AgentNumber[], now: number): boolean {
    const id = versionIdOf(version);
    return this.areSeveral && among.some((number) => this.#isThere(number) && !this.#refuses(number, id, now));
  }

  /** Forgets who refused what, where that is over. */
  sweep(now: number): void {
    for (const { refusedUntil } of this.#known) for (const [id, until] of refusedUntil) if (until <= now) refusedUntil.delete(id);
  }

  #isThere(number: AgentNumber): boolean {
    return this.all[number]?.client.connected === true;
  }

  #refuses(number: AgentNumber, id: string, now: number): boolean {
    return (this.#known[number]?.refusedUntil.get(id) ?? 0) > now;
  }

  #seat(agent: AgentNumber, version: Version, id: string, now: number): Seat | undefined {
    const known = this.#known[agent];
    if (known === undefined) return undefined;
    const { offer, cached, asked } = known;
    const own = asked.get(id) ?? 0;
    const all = asked.values().reduce((sum, one) => sum + one, 0);
    const there = offer?.versions.find((one) => one.id === id);
    const { tenant, function: name, digest, config } = version;
    const whole = () => partOf(config.maximum, this.allFor(version), agent, functionKey(tenant, name));
    return {
      agent,
      isOpen: this.#isThere(agent) && !this.#refuses(agent, id, now),
      resting: (there?.resting ?? 0) - own,
      room: (there?.room ?? whole()) - own,
      places: Math.max(0, (offer?.places ?? 0) - all),
      capacity: offer?.capacity ?? 0,
      freeMiB: offer?.freeMiB ?? 0,
      hasCode: cached.has(`${tenant}/${digest}`),
      warm: warmFor(offer, version) - own,
    };
  }
}

/** Of the kind of sandbox that a version needs: the smallest class that has room for its memory. */
function warmFor(offer: Offer | undefined, { config: { runtime, memoryMiB } }: Version): number {
  let fitting: Offer['pools'][number] | undefined;
  for (const pool of offer?.pools ?? [])
    if (pool.runtime === runtime && pool.memoryMiB >= memoryMiB && (fitting === undefined || pool.memoryMiB < fitting.memoryMiB))
      fitting = pool;
  return fitting?.ready ?? 0;
}
