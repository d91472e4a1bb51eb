/**
 * Where accepted events live until they have ended. SQLite on one machine; whatever else stores them keeps the same promises, which
 * test/events/event-log.contract.ts holds it to:
 * - What a promise of a writing method resolves for is durable: it outlives a kill of this process and of the host. A rejected one may
 *   have written or not; the same call again is safe.
 * - An event is leased to one holder at a time. Each lease has a fencing token of its own; `settle` with a token that is not the present
 *   one changes nothing.
 * - An event's end, its result or error, and what is kept of its bytes change together.
 * - Nothing is held in memory for an event that waits.
 * Times are milliseconds since 1970, and given: a log has no clock. After its disposal no method may be called.
 */
import type { EventError, EventRequest, EventResult, EventState, FailureReason, Selection } from '../wire/event-calls.ts';

export interface FunctionRef {
  readonly tenant: string;
  readonly function: string;
}

/** Which way a function's events go: to itself through the gateway, or on to its webhooks and queues. One does not wait for the other. */
export type EventWay = 'gateway' | 'webhook';

/** Those of a function's events that go one way. */
export interface LaneRef extends FunctionRef {
  readonly way: EventWay;
}

export interface NewEvent extends FunctionRef {
  readonly id: string;
  readonly acceptedMs: number;
  /** The earliest time of its first attempt, from which its age counts, too; by default when it was accepted. */
  readonly dueMs?: number;
  readonly request: EventRequest;
  readonly body: Uint8Array;
  /** Events of a function with the same key are leased one at a time, in the order in which they were accepted, until each has ended. */
  readonly orderKey?: string;
  readonly idempotency?: Idempotency;
  /** Invocations caused by functions that led to this one, itself among them; 0 by default. */
  readonly hops?: number;
  /** It ends as it is accepted, and is not delivered. */
  readonly end?: DeadEnd;
}

/** Makes several attempts to have an event accepted one event. */
export interface Idempotency {
  readonly key: string;
  /** What the same request has, and no other. */
  readonly fingerprint: string;
  /** How long the key stands for the event. */
  readonly untilMs: number;
}

export type Acceptance =
  /** It was stored now, or had been under this id. */
  | { readonly kind: 'stored' }
  /** Its idempotency key came before, with the same request. */
  | { readonly kind: 'repeated'; readonly id: string }
  /** Its idempotency key stands for another request. */
  | { readonly kind: 'reused' };

export interface LeaseOrder extends LaneRef {
  readonly limit: number;
  readonly nowMs: number;
  readonly untilMs: number;
}

/** An event that is somebody's to deliver until its lease ends. */
export interface LeasedEvent extends LaneRef {
  readonly id: string;
  readonly token: number;
  /** Attempts that are over and that may have reached the function. */
  readonly attempts: number;
  /** When it was accepted, or redriven: its age counts from here. */
  readonly sinceMs: number;
  /** Invocations caused by functions that led to it, itself among them. */
  readonly hops: number;
}

export interface EventPayload {
  readonly request: EventRequest;
  readonly body: Uint8Array;
}

export interface Success {
  readonly kind: 'succeeded';
  readonly attempts: number;
  readonly atMs: number;
  readonly result: EventResult;
}

export interface Failure {
  readonly kind: 'dead-lettered' | 'discarded';
  readonly attempts: number;
  readonly atMs: number;
  readonly reason: FailureReason;
  readonly error: EventError;
}

export interface DeadEnd extends Failure {
  readonly kind: 'dead-lettered';
}

export type Settlement =
  | Success
  | Failure
  | { readonly kind: 'waiting'; readonly attempts: number; readonly dueMs: number; readonly error: EventError };

export interface EventRecord extends FunctionRef {
  readonly id: string;
  readonly state: EventState;
  readonly acceptedMs: number;
  readonly attempts: number;
  readonly dueMs: number;
  readonly endedMs: number | undefined;
  readonly reason: FailureReason | undefined;
  readonly error: EventError | undefined;
  readonly result: EventResult | undefined;
}

export interface DeadLetterPage {
  readonly tenant: string;
  readonly function: string | undefined;
  /** Only those that come after this id. */
  readonly after: string;
  readonly limit: number;
}

export interface EventCount extends FunctionRef {
  readonly state: EventState;
  readonly count: number;
}

export interface EventLog extends AsyncDisposable {
  /** Stores an event. An id that is there already changes nothing. @throws SwiftletError StorageFull */
  accept(event: NewEvent): Promise<Acceptance>;
  /** Functions and ways with at least one event that waits and is due. */
  lanesDue(nowMs: number): Promise<LaneRef[]>;
  /** When the next event that waits becomes due after this time; undefined when none does. */
  nextDueMs(afterMs: number): Promise<number | undefined>;
  /** Leases a function's events that are due, those due first first. */
  lease(order: LeaseOrder): Promise<LeasedEvent[]>;
  /** What was accepted, to the byte; undefined once the event has ended well. */
  payload(tenant: string, id: string): Promise<EventPayload | undefined>;
  /**
   * Ends a lease.
   * @param follow is accepted in the same transaction, also by a log that is full: it takes the place of what ended
   * @returns false, with nothing done, when the token is not the present one: somebody else has the event, or it has ended
   */
  settle(id: string, token: number, settlement: Settlement, follow?: NewEvent): Promise<boolean>;
  /** Leases that have run out, whoever had them. */
  expired(nowMs: number, limit: number): Promise<LeasedEvent[]>;
  find(tenant: string, id: string): Promise<EventRecord | undefined>;
  /** Oldest first. */
  deadLetters(page: DeadLetterPage): Promise<EventRecord[]>;
  /** Lets dead letters wait again, as if they had been accepted now. @returns how many, at most the limit */
  redrive(tenant: string, selection: Selection, nowMs: number, limit: number): Promise<number>;
  /** Removes dead letters. @returns how many, at most the limit */
  purge(tenant: string, selection: Selection, limit: number): Promise<number>;
  /** Forgets idempotency keys that are over. @returns how many, at most the limit */
  forgetKeys(nowMs: number, limit: number): Promise<number>;
  /** Removes what is known of events that ended well or were discarded before this time. @returns how many, at most the limit */
  forget(endedBeforeMs: number, limit: number): Promise<number>;
  /** When the event that ended last but so many ended; undefined when there are not so many. */
  endedBack(count: number): Promise<number | undefined>;
  counts(): Promise<EventCount[]>;
}
