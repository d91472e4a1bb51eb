/** Hands out events that are due, as many at once as their functions and this process may have in flight, and notes how each attempt went. */
import { addAbortListener } from 'node:events';
import type { Destination, Destinations } from '../model/destination.ts';
import { type AsyncConfig, functionConfigSchema, type Version } from '../model/function.ts';
import type { Pass } from '../role/fault-points.ts';
import { functionKey } from '../wire/published-state.ts';
import { decide, expire, isTooOld, type Outcome } from './decide.ts';
import type { Deliver } from './deliver.ts';
import { destinationRecord, recordEvent } from './destination-record.ts';
import type { EventLog, FunctionRef, LaneRef, LeasedEvent, NewEvent, Settlement } from './event-log.ts';
import { destinationOf, followUp, hasEnded } from './follow-up.ts';
import { emptyLane, isIdle, type Lane, reached, roomOf, sharesOf, throttled } from './lanes.ts';
import { Rounds } from './rounds.ts';

/** Deliveries of all functions at once: each holds its event in memory. */
const maxInFlight = 128;
/** Of them, so many are for functions that have none under way. */
const reserve = 32;
/** What a delivery may take beside the function's own limits, and a lease beside that. */
const allowanceMs = 5_000;
/** Leases that nobody ended are looked for this often; so long is the longest sleep. */
const sweepEveryMs = 5_000;
const sweptAtOnce = 100;
/** When the log cannot be written, it is tried again after this. */
const afterTroubleMs = 1_000;

export interface DispatchMeans {
  readonly log: EventLog;
  readonly deliver: Deliver;
  /** The functions that are served; undefined while that is not known. */
  readonly functions: () => ReadonlyMap<string, Version> | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly chance: () => number;
  readonly newId: () => string;
  /** An event was stored that follows from the end of another. */
  readonly accepted: (event: FunctionRef) => void;
  readonly pass: Pass;
  readonly tried: (event: FunctionRef, how: Outcome['kind']) => void;
  readonly settled: (event: FunctionRef, how: Settlement['kind']) => void;
  readonly trouble: (error: unknown, what: string) => void;
}

export interface Limits {
  readonly policy: AsyncConfig;
  readonly deliveryMs: number;
  /** What serves; undefined when the function is there no more. */
  readonly version: number | undefined;
  readonly destinations: Destinations;
}

/** For events of a function that is there no more. */
const defaults = functionConfigSchema.parse({});

export class Dispatcher {
  readonly #means: DispatchMeans;
  readonly #lanes = new Map<string, Lane>();
  readonly #attempts = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  readonly #rounds: Rounds;
  #sweepAtMs = 0;

  constructor(means: DispatchMeans) {
    this.#means = means;
    this.#rounds = new Rounds({ look: (nowMs) => this.#look(nowMs), now: means.now, longestSleepMs: sweepEveryMs });
  }

  get inFlight(): number {
    return this.#attempts.size;
  }

  /** Something may be due: an event was accepted, the functions changed. */
  wake(): void {
    this.#rounds.wake();
  }

  /** Begins no more attempts, and resolves when those under way have ended and are noted; after the grace they are broken off. */
  async stop(graceOver: AbortSignal): Promise<void> {
    await this.#rounds.stop();
    using _late = addAbortListener(graceOver, () => this.#stopped.abort());
    await Promise.all(this.#attempts);
  }

  #look(nowMs: number): Promise<number> {
    return this.#dispatch(nowMs).catch((error: unknown) => {
      this.#means.trouble(error, 'events that are due could not be handed out');
      return this.#means.now() + afterTroubleMs;
    });
  }

  /** @returns when there may be something to do again if nobody wakes it before */
  async #dispatch(nowMs: number): Promise<number> {
    const { log } = this.#means;
    const functions = this.#means.functions();
    if (functions === undefined) return nowMs + sweepEveryMs;
    await this.#sweep(functions, nowMs);
    const due = (await log.lanesDue(nowMs)).map((ref) => {
      const limits = limitsOf(functions, ref);
      const lane = this.#laneOf(ref);
      return { ref, limits, lane, inFlight: lane.inFlight, room: roomOf(lane, limits.policy.inFlight, nowMs) };
    });
    const open = due.filter(({ room }) => room > 0);
    const shares = sharesOf(open, maxInFlight - this.inFlight, reserve);
    await Promise.all(open.map(({ ref, limits }, at) => this.#lease(ref, limits, shares[at] ?? 0, nowMs)));
    const pauses = due.map(({ lane }) => lane.pausedUntilMs).filter((until) => until > nowMs);
    return Math.min((await log.nextDueMs(nowMs)) ?? Number.POSITIVE_INFINITY, ...pauses);
  }

  async #lease(ref: LaneRef, limits: Limits, limit: number, nowMs: number): Promise<void> {
    if (limit === 0) return;
    const untilMs = nowMs + limits.deliveryMs + allowanceMs;
    for (const event of await this.#means.log.lease({ ...ref, limit, nowMs, untilMs })) this.#begin(event, limits);
  }

  #begin(event: LeasedEvent, limits: Limits): void {
    this.#change(event, (lane) => ({ ...lane, inFlight: lane.inFlight + 1 }));
    const attempt = this.#attempt(event, limits)
      .catch((error: unknown) => this.#means.trouble(error, 'the outcome of an attempt could not be noted; it is delivered again'))
      .finally(() => {
        this.#change(event, (lane) => ({ ...lane, inFlight: lane.inFlight - 1 }));
        this.#attempts.delete(attempt);
        this.wake();
      });
    this.#attempts.add(attempt);
  }

  async #attempt(event: LeasedEvent, limits: Limits): Promise<void> {
    const { log, deliver, now, chance, pass } = this.#means;
    if (isTooOld(event, limits.policy, now())) return this.#settle(event, expire(event, limits.policy, now()), limits);
    const payload = await log.payload(event.tenant, event.id);
    if (payload === undefined) throw new Error(`event ${event.id} has no payload`);
    const { id, tenant, function: name, hops } = event;
    const delivery = { id, tenant, function: name, hops, ...payload, isServed: limits.version !== undefined, limitMs: limits.deliveryMs };
    const delivered = deliver(delivery, this.#stopped.signal);
    pass('after-dispatch');
    const outcome = await delivered;
    pass('before-acknowledge');
    this.#means.tried(event, outcome.kind);
    const nowMs = now();
    this.#change(event, (lane) => (outcome.kind === 'throttled' ? throttled(lane, nowMs, chance()) : reached(lane)));
    await this.#settle(event, decide(event, outcome, limits.policy, nowMs, Math.max(nowMs, this.#laneOf(event).pausedUntilMs)), limits);
  }

  /** A process that was killed has left leases: whether the function ran, nobody knows. */
  async #sweep(functions: ReadonlyMap<string, Version>, nowMs: number): Promise<void> {
    if (nowMs < this.#sweepAtMs) return;
    const left = await this.#means.log.expired(nowMs, sweptAtOnce);
    const message = 'the delivery broke off as a part of the platform ended; the function may have run';
    const outcome: Outcome = { kind: 'failed', error: { code: 'DeliveryInterrupted', message } };
    const settle = (event: LeasedEvent, limits: Limits) => this.#settle(event, decide(event, outcome, limits.policy, nowMs, nowMs), limits);
    await Promise.all(left.map((event) => settle(event, limitsOf(functions, event))));
    if (left.length < sweptAtOnce) this.#sweepAtMs = nowMs + sweepEveryMs;
    else this.wake();
  }

  async #settle(event: LeasedEvent, settlement: Settlement, limits: Limits): Promise<void> {
    const { log, settled, accepted } = this.#means;
    const follow = await this.#followOf(event, settlement, limits);
    if (!(await log.settle(event.id, event.token, settlement, follow))) return;
    settled(event, settlement.kind);
    if (follow === undefined) return;
    accepted(follow);
    if (follow.end !== undefined) settled(follow, follow.end.kind);
  }

  /** What the function's destination is to get of an event's end. */
  async #followOf(event: LeasedEvent, settlement: Settlement, { destinations, version }: Limits): Promise<NewEvent | undefined> {
    const { log, newId, now } = this.#means;
    const destination = destinationOf(destinations, event, settlement);
    if (destination === undefined || !hasEnded(settlement)) return undefined;
    const payload = await log.payload(event.tenant, event.id);
    if (payload === undefined || payload.request.kind === 'webhook' || payload.request.kind === 'queue') return undefined;
    const record = destinationRecord({ event, request: payload.request, body: payload.body, end: settlement, version });
    const id = newId();
    return followUp(
      event,
      destination,
      this.#isCloudEvent(event, destination) ? recordEvent(event, settlement, record, id) : record,
      id,
      now(),
      payload.request.lane,
    );
  }

  /** Whether a destination takes CloudEvents. */
  #isCloudEvent({ tenant }: FunctionRef, destination: Destination): boolean {
    if (destination.kind !== 'function') return false;
    return this.#means.functions()?.get(functionKey(tenant, destination.function))?.config.events === 'cloudevents';
  }

  #laneOf(ref: LaneRef): Lane {
    return this.#lanes.get(laneKey(ref)) ?? emptyLane;
  }

  #change(ref: LaneRef, change: (lane: Lane) => Lane): void {
    const key = laneKey(ref);
    const lane = change(this.#laneOf(ref));
    if (isIdle(lane)) this.#lanes.delete(key);
    else this.#lanes.set(key, lane);
  }
}

const laneKey = ({ tenant, function: name, way }: LaneRef): string => `${functionKey(tenant, name)} ${way}`;

/** What holds for deliveries to a function. */
export function limitsOf(functions: ReadonlyMap<string, Version>, ref: FunctionRef): Limits {
  const version = functions.get(functionKey(ref.tenant, ref.function));
  const { async: policy, queueTimeoutMs, initTimeoutMs, timeoutMs, destinations } = version?.config ?? defaults;
  return { policy, deliveryMs: queueTimeoutMs + initTimeoutMs + timeoutMs + allowanceMs, version: version?.number, destinations };
}
