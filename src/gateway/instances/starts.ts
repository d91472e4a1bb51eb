/** The cold starts that this gateway has asked for, and how each of them ends. Nothing here is on the way of a warm request. */
import { randomUUID } from 'node:crypto';
import { pauseAfterFailures } from '../../model/back-off.ts';
import { type ErrorCode, SwiftletError } from '../../model/errors.ts';
import type { StartTimes } from '../../model/phases.ts';
import { acquiredSchema, type AcquiredInstance, type StartFailed, type Starting } from '../../wire/agent-calls.ts';
import { foreseeableMs, startsToSpare, startsWanted } from './activate.ts';
import type { Agent, Agents } from './agents.ts';
import { startsAtOnce } from './crash-loop.ts';
import { InstanceLink, type LinkEvents } from './instance-link.ts';
import { MoreInstances } from './more-instances.ts';
import type { ServedVersion } from './served-version.ts';
import type { StartedInstance } from './waited-start.ts';

/** What an agent may need for a start beside the user's own init. */
const startAllowanceMs = 20_000;
/** How long a function is left alone whose start was put off: its host is full or away, or it runs its maximum. */
const postponedMs = 50;

/** These say that the function cannot start as things are: who waits for it is told at once. */
const initFailures: ReadonlySet<ErrorCode> = new Set([
  'InitError',
  'InitTimeout',
  'OutOfMemory',
  'HandlerNotFound',
  'RuntimeUnknown',
  'StorageFull',
  'FunctionCrashed',
  'Internal',
]);

/** These say that an agent has no room for an instance; another one may have. */
const fullCodes: ReadonlySet<ErrorCode> = new Set(['HostFull', 'TooManyRequests', 'QuotaExceeded', 'Unavailable']);

export interface StartEvents {
  /** A link to an instance that is not initialised yet: what waits may be sent ahead on it. */
  connected(link: InstanceLink): void;
  /**
   * An instance is there.
   * @param link not open yet; what was sent ahead is on it
   * @param start how it went; absent when it was there already, or when the agent is gone and the instance itself said that it goes on
   */
  started(link: InstanceLink, start: StartedInstance | undefined): void;
  /** More slots of an instance that is here already. @returns whether it is */
  grew(instanceId: string, slots: number): boolean;
  /**
   * The function cannot start. Neither can what was sent ahead. Who waits is told so, unless instances serve.
   * @param start how far it came, where the agent could tell
   */
  failed(served: ServedVersion, error: SwiftletError, link: InstanceLink | undefined, start?: StartedInstance): void;
  /** The start came to nothing, for no fault of the function. What was sent ahead never began. */
  putOff(served: ServedVersion, link: InstanceLink | undefined): void;
}

/** A start under way. */
interface Start {
  readonly served: ServedVersion;
  readonly agent: Agent;
  /** The request that it was asked for. */
  readonly causedBy: string;
  /** How far it is: without a sandbox it can be withdrawn. */
  stage: 'asked' | 'withdrawn' | 'inSandbox';
  /** There when something was sent ahead. */
  link: InstanceLink | undefined;
  /** There when the agent will say nothing more: the instance's own word, or its end, decides, or this limit of the wait for it. */
  orphaned: NodeJS.Timeout | undefined;
  /** How far it came: the agent says that before it says that it failed. */
  failed: StartTimes | undefined;
}

export class Starts {
  readonly #agents: Agents;
  readonly #events: StartEvents & LinkEvents;
  readonly #under = new Map<string, Start>();
  readonly #more: MoreInstances;
  /** Versions whose requests wait for places that come free, until it is looked again. */
  readonly #foreseen = new Map<ServedVersion, NodeJS.Timeout>();

  constructor(agents: Agents, events: StartEvents & LinkEvents) {
    this.#agents = agents;
    this.#events = events;
    this.#more = new MoreInstances(agents, events);
  }

  /**
   * Asks for as many instances as those who wait need.
   * @param causedBy the id of the request that waits since now; absent when the oldest one has waited long enough
   */
  activate(served: ServedVersion, now: number, causedBy?: string): void {
    if (now < served.pausedUntil) return;
    const { waiting, starting, instances, version } = served;
    const { concurrency, maximum } = version.config;
    const soonServed = causedBy === undefined ? 0 : served.soonServed(now);
    const most = Math.min(maximum, instances + startsAtOnce(served.crashes));
    const wanted = startsWanted({ waiting, soonServed, starting, instances, slots: concurrency, maximum: most });
    for (let asked = 0; asked < wanted; asked++) void this.#ask(randomUUID(), served, causedBy ?? served.oldest?.id ?? '');
    if (soonServed > 0 && !this.#foreseen.has(served)) this.#lookAgain(served);
  }

  /** Who waits for a place to come free, and waits when a start would have been over, gets an instance after all. */
  #lookAgain(served: ServedVersion): void {
    const look = () => {
      this.#foreseen.delete(served);
      if (served.waiting > 0 && !served.retired) this.activate(served, performance.now());
    };
    this.#foreseen.set(served, setTimeout(look, foreseeableMs(served.startMs.value)));
  }

  /**
   * Notice of the agent: an instance has its sandbox. When nothing else can serve those who wait, they are sent ahead, so that they are
   * there when it is initialised.
   */
  announced({ instanceId, socketPath }: Starting, now: number): void {
    const start = this.#under.get(instanceId);
    if (start === undefined || start.link !== undefined) return;
    start.stage = 'inSandbox';
    const { served } = start;
    if (served.instances > 0 || served.starting > 1 || served.waiting === 0) return;
    start.link = new InstanceLink(instanceId, socketPath, served.version.config.concurrency, served, this.#events, now, start.agent);
    this.#events.connected(start.link);
  }

  /** Called now and then: asks for what those need who still wait, and gives up what nobody waits for any more. */
  sweep(all: Iterable<ServedVersion>, now: number): void {
    for (const served of all) {
      if (served.waiting > 0) this.activate(served, now);
      if (served.starting > 0) this.#spare(served);
      this.#more.look(served, now);
    }
  }

  /** Only what has no sandbox yet is given up, the latest first. */
  #spare(served: ServedVersion): void {
    const { waiting, version } = served;
    const under = [...this.#under].filter(([, start]) => start.served === served && start.stage !== 'withdrawn');
    const spared = startsToSpare({ waiting, starting: under.length, slots: version.config.concurrency });
    const early = spared === 0 ? [] : under.filter(([, { stage }]) => stage === 'asked').slice(-spared);
    for (const [, start] of early) start.stage = 'withdrawn';
    for (const [agent, own] of Map.groupBy(early, ([, start]) => start.agent))
      agent.client.notify('withdraw', { instanceIds: own.map(([id]) => id) });
  }

  /** Notice of the agent: a start fails, as its refusal says next. */
  failing({ instanceId, ...times }: StartFailed): void {
    const start = this.#under.get(instanceId);
    if (start !== undefined) start.failed = times;
  }

  /** An instance says that it has begun with what was sent ahead. */
  begun(link: InstanceLink): void {
    const start = this.#under.get(link.id);
    if (start?.orphaned !== undefined) this.#startedAlone(link, start);
  }

  /** The connection to an instance that was not open yet is gone. */
  lost(link: InstanceLink): void {
    const start = this.#under.get(link.id);
    if (start?.orphaned !== undefined) this.#putOff(link.id, start);
  }

  close(): void {
    for (const timer of this.#foreseen.values()) clearTimeout(timer);
    for (const { link, orphaned } of this.#under.values()) {
      clearTimeout(orphaned);
      link?.close();
    }
  }

  async #ask(id: string, served: ServedVersion, causedBy: string): Promise<void> {
    const { tenant, function: name, number, config } = served.version;
    const askedAt = performance.now();
    const agent = this.#agents.choose(served.version, served.agents, askedAt);
    if (agent === undefined) {
      served.lastRefusal = new SwiftletError(
        'Unavailable',
        `no agent that may run function "${name}" is there; they are starting, or have stopped`,
      );
      served.pausedUntil = askedAt + postponedMs;
      return;
    }
    const start: Start = { served, agent, causedBy, stage: 'asked', link: undefined, orphaned: undefined, failed: undefined };
    this.#under.set(id, start);
    served.starting += 1;
    let acquired: AcquiredInstance;
    try {
      const order = { tenant, function: name, number, instanceId: id };
      acquired = acquiredSchema.parse(await agent.client.ask('acquire', order, config.initTimeoutMs + startAllowanceMs));
    } catch (error) {
      this.#refused(id, start, error);
      return;
    }
    this.#agents.answered(agent, served.version, false, performance.now());
    this.#over(id, start);
    served.failures = 0;
    served.lastFailure = undefined;
    served.lastRefusal = undefined;
    const now = performance.now();
    if (acquired.start === 'cold') served.startMs.add(now - askedAt);
    const { instanceId, socketPath, slots } = acquired;
    if (start.link === undefined && this.#events.grew(instanceId, slots)) return;
    const link = start.link ?? new InstanceLink(instanceId, socketPath, slots, served, this.#events, now, agent);
    link.take(acquired);
    this.#events.started(link, acquired.start === 'cold' ? { instanceId, causedBy, times: acquired, isPaid: false } : undefined);
  }

  #refused(id: string, start: Start, error: unknown): void {
    const { served, link } = start;
    if (start.stage === 'withdrawn') {
      this.#agents.answered(start.agent, served.version, false, performance.now());
      this.#over(id, start);
      // Somebody may have come meanwhile, and counted on it.
      if (served.waiting > 0) this.activate(served, performance.now());
      return;
    }
    const known =
      error instanceof SwiftletError
        ? error
        : new SwiftletError('Internal', `an instance could not be started: ${String(error)}`, { cause: error });
    served.lastRefusal = known;
    const now = performance.now();
    this.#agents.answered(start.agent, served.version, fullCodes.has(known.code), now);
    if (initFailures.has(known.code)) {
      this.#over(id, start);
      served.failures += 1;
      served.lastFailure = known;
      served.pausedUntil = now + pauseAfterFailures(served.failures);
      this.#events.failed(served, known, link, failedStart(id, start));
    } else if (link === undefined || link.isLost) this.#putOff(id, start);
    else if (link.hasBegun) this.#startedAlone(link, start);
    else start.orphaned = setTimeout(() => this.#giveUp(link, start), served.version.config.initTimeoutMs);
  }

  /** Whether it will begin with what was sent ahead nobody knows: it must not begin elsewhere. */
  #giveUp(link: InstanceLink, start: Start): void {
    const { served } = start;
    const detail = `an instance of function "${served.version.function}" started while the agent was away, and did not finish its init`;
    this.#over(link.id, start);
    start.agent.client.notify('discard', { instanceId: link.id, code: 'InitTimeout', detail });
    this.#events.failed(served, new SwiftletError('InitTimeout', detail), link);
  }

  #startedAlone(link: InstanceLink, start: Start): void {
    this.#over(link.id, start);
    this.#events.started(link, undefined);
  }

  /** Whoever waits goes on waiting, and the next sweep asks again. */
  #putOff(id: string, start: Start): void {
    const { served, link } = start;
    this.#over(id, start);
    if (link === undefined && this.#agents.hasOther(served.version, served.agents, performance.now())) {
      if (served.retired) this.#events.putOff(served, undefined);
      else this.activate(served, performance.now());
      return;
    }
    served.pausedUntil = Math.max(served.pausedUntil, performance.now() + postponedMs);
    if (link?.hasBegun === true)
      this.#events.failed(served, new SwiftletError('FunctionCrashed', 'the instance ended while it started'), link);
    else this.#events.putOff(served, link);
  }

  #over(id: string, { served, orphaned }: Start): void {
    clearTimeout(orphaned);
    this.#under.delete(id);
    served.starting -= 1;
  }
}

/** As those see it who waited for it. Nobody pays for an instance that never was. */
const failedStart = (instanceId: string, { causedBy, failed }: Start): StartedInstance | undefined =>
  failed === undefined ? undefined : { instanceId, causedBy, times: failed, isPaid: true };
