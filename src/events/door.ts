/** What gateways and control ask the events role. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import type { Pass } from '../role/fault-points.ts';
import {
  type acceptedSchema,
  acceptSchema,
  type CallerRequest,
  type DeadLetter,
  deadLetterQuerySchema,
  eventQuerySchema,
  type EventView,
  selectSchema,
  type Selection,
} from '../wire/event-calls.ts';
import { type SecretsNotice, secretsSchema } from '../wire/secret-calls.ts';
import { timersQuerySchema, type TimersView } from '../wire/timer-calls.ts';
import type { EventLog, EventRecord, FunctionRef, NewEvent } from './event-log.ts';
import { endOfChain } from './follow-up.ts';
import type { TenantBacklog } from './tenant-backlog.ts';
import { answerSources } from './sources/source-door.ts';
import type { SourceKeeper } from './sources/source-keeper.ts';
import type { TimerStore } from './timer-store.ts';

/** Dead letters changed in one transaction, and by one call. */
const selectedAtOnce = 500;
const selectedPerCall = 10_000;

export interface DoorMeans {
  readonly log: EventLog;
  readonly timers: Pick<TimerStore, 'timersOf'>;
  readonly now: () => number;
  /** How long an idempotency key stands for an event of this function. */
  readonly idempotencyWindowMs: (ref: FunctionRef) => number;
  /** How many events its tenant may have that have not ended. */
  readonly backlogLimit: (tenant: string) => number | undefined;
  readonly backlog: TenantBacklog;
  /** An event is stored. */
  readonly accepted: (event: NewEvent) => void;
  /** Events wait again. */
  readonly redriven: () => void;
  readonly sources: SourceKeeper;
  /** Control has told secrets. */
  readonly told: (secrets: SecretsNotice) => void;
  readonly pass: Pass;
  readonly health: () => { readonly ready: boolean; readonly detail: string };
  readonly metrics: () => Promise<string>;
}

/** @throws SwiftletError EventNotFound, NotFound for a call that is none, or what the log throws */
export async function answer(means: DoorMeans, method: string, body: unknown): Promise<unknown> {
  switch (method) {
    case 'accept':
      return accept(means, body);
    case 'event':
      return viewOf(await find(means, body));
    case 'deadLetters':
      return page(means, body);
    case 'deadLetter':
      return deadLetter(means, body);
    case 'redrive':
      return redrive(means, body);
    case 'purge':
      return purge(means, body);
    case 'timers':
      return timersOf(means, body);
    case 'sources':
    case 'lags':
    case 'pauseSource':
    case 'resumeSource':
      return answerSources(means.sources, method, body);
    case 'secrets':
      means.told(secretsSchema.parse(body));
      return {};
    case 'metrics':
      return { text: await means.metrics() };
    case 'health':
      return means.health();
    default:
      throw new SwiftletError('NotFound', `the event log knows no call "${method}"`);
  }
}

async function accept(means: DoorMeans, asked: unknown): Promise<z.output<typeof acceptedSchema>> {
  const event = newEvent(means, acceptSchema.parse(asked));
  const { tenant } = event;
  means.backlog.demandRoom(tenant, means.backlogLimit(tenant));
  const leave = means.backlog.enter(tenant);
  means.pass('before-insert');
  const acceptance = await means.log.accept(event).catch((error: unknown) => {
    leave();
    throw error;
  });
  means.pass('after-commit');
  switch (acceptance.kind) {
    case 'stored':
      if (event.end !== undefined) leave();
      means.accepted(event);
      return { id: event.id };
    case 'repeated':
      leave();
      return { id: acceptance.id };
    case 'reused':
      leave();
      throw new SwiftletError(
        'IdempotencyKeyReused',
        `the idempotency key came before with another method, path or body for "${event.function}"; make a new key for each request`,
      );
  }
}

function newEvent({ now, idempotencyWindowMs }: DoorMeans, asked: z.output<typeof acceptSchema>): NewEvent {
  const { id, tenant, function: name, request, orderKey, idempotencyKey: key, hops } = asked;
  const body = Buffer.from(asked.body, 'base64');
  const acceptedMs = now();
  const caused = { hops, ...endOfChain(name, hops, acceptedMs) };
  const made = { id, tenant, function: name, acceptedMs, request, body, ...caused, ...(orderKey === undefined ? {} : { orderKey }) };
  if (key === undefined) return made;
  return { ...made, idempotency: { key, fingerprint: fingerprintOf(request, body), untilMs: acceptedMs + idempotencyWindowMs(made) } };
}

/** Headers are not in it: a client that sends a request again has another date and trace in them. */
const fingerprintOf = ({ kind, method, target }: CallerRequest, body: Uint8Array): string =>
  createHash('sha256')
    .update(JSON.stringify([kind, method, target]))
    .update(body)
    .digest('base64');

async function find({ log }: DoorMeans, asked: unknown): Promise<EventRecord> {
  const { tenant, id } = eventQuerySchema.parse(asked);
  const record = await log.find(tenant, id);
  if (record !== undefined) return record;
  throw new SwiftletError('EventNotFound', `there is no event ${id}; those that ended well are forgotten after a day`);
}

async function page({ log }: DoorMeans, asked: unknown): Promise<{ events: EventView[]; next?: string }> {
  const { tenant, function: name, after = '', limit } = deadLetterQuerySchema.parse(asked);
  const found = await log.deadLetters({ tenant, function: name, after, limit: limit + 1 });
  const events = found.slice(0, limit);
  const next = found.length > limit ? events.at(-1)?.id : undefined;
  return { events: events.map(viewOf), ...(next === undefined ? {} : { next }) };
}

async function deadLetter(means: DoorMeans, asked: unknown): Promise<DeadLetter> {
  const record = await find(means, asked);
  const payload = await means.log.payload(record.tenant, record.id);
  if (record.state !== 'dead-lettered' || payload === undefined)
    throw new SwiftletError('EventNotFound', `event ${record.id} is no dead letter: it is ${record.state}`);
  return { event: viewOf(record), request: payload.request, body: Buffer.from(payload.body).toString('base64') };
}

async function redrive({ log, now, redriven, backlog }: DoorMeans, asked: unknown): Promise<object> {
  const { tenant, selection } = selectSchema.parse(asked);
  const done = await throughAll(selection, (limit) => log.redrive(tenant, selection, now(), limit));
  backlog.load(await log.counts());
  redriven();
  return done;
}

async function purge({ log }: DoorMeans, asked: unknown): Promise<object> {
  const { tenant, selection } = selectSchema.parse(asked);
  return throughAll(selection, (limit) => log.purge(tenant, selection, limit));
}

async function timersOf({ timers }: DoorMeans, asked: unknown): Promise<TimersView> {
  const found = await timers.timersOf(timersQuerySchema.parse(asked));
  return {
    timers: found.map(({ timer, nextMs, lastMs }) => ({
      name: timer,
      ...(nextMs === undefined ? {} : { nextRunAt: new Date(nextMs).toISOString() }),
      ...(lastMs === undefined ? {} : { lastRunAt: new Date(lastMs).toISOString() }),
    })),
  };
}

/** Works in pages, so that other writes have their turn. */
async function throughAll(selection: Selection, work: (limit: number) => Promise<number>): Promise<{ count: number; more: boolean }> {
  let count = 0;
  for (;;) {
    const done = await work('ids' in selection ? selection.ids.length : selectedAtOnce);
    count += done;
    if ('ids' in selection || done < selectedAtOnce) return { count, more: false };
    if (count >= selectedPerCall) return { count, more: true };
  }
}

/** An event as users see it. */
export function viewOf({ id, function: name, state, acceptedMs, attempts, dueMs, endedMs, reason, error, result }: EventRecord): EventView {
  return {
    id,
    function: name,
    state,
    acceptedAt: new Date(acceptedMs).toISOString(),
    attempts,
    ...(state === 'waiting' ? { nextAttemptAt: new Date(dueMs).toISOString() } : {}),
    ...(endedMs === undefined ? {} : { endedAt: new Date(endedMs).toISOString() }),
    ...(result === undefined ? {} : { result }),
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : { error }),
  };
}
