/** The events role is wired here: it stores what gateways accept, and delivers it through a gateway. */
import { randomUUIDv7 } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { Logger } from 'pino';
import { SwiftletError } from '../model/errors.ts';
import { isPublishedTo, noLabels } from '../model/groups.ts';
import { idempotencyWindowMs } from '../model/limits.ts';
import { passFrom } from '../role/fault-points.ts';
import { openCallPlaces } from '../role/call-places.ts';
import { deliverySocketOf, gatewaysOf, type RoleConfig, socketOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, shareSocket } from '../role/run-role.ts';
import { serveCalls } from '../wire/calls.ts';
import type { CallerRequest, QueueRequest, WebhookRequest } from '../wire/event-calls.ts';
import { functionKey } from '../wire/published-state.ts';
import { subscribeState } from '../wire/state-subscriber.ts';
import { addressPolicy } from '../role/address-policy.ts';
import { type Deliver, deliverTo } from './deliver.ts';
import { QueueSender } from './deliver-queue.ts';
import { deliverToWebhook } from './deliver-webhook.ts';
import { Dispatcher, limitsOf } from './dispatcher.ts';
import { answer, type DoorMeans } from './door.ts';
import type { FunctionRef } from './event-log.ts';
import { EventMetrics } from './metrics.ts';
import { itemsOutcome } from './outcome.ts';
import { keepForgetting } from './retention.ts';
import { keepSources } from './sources/keep-sources.ts';
import { openSink } from './sources/sinks.ts';
import { SqliteSourceStore } from './sources/sqlite-source-store.ts';
import { SqliteEventLog, type SqliteEventLogMeans } from './sqlite-event-log.ts';
import { TenantBacklog } from './tenant-backlog.ts';
import { Timekeeper } from './timekeeper.ts';
import { timerKey } from './timer-changes.ts';
import { WarmKeeper } from './warm-keeper.ts';
import { Variables } from '../wire/variables.ts';

const recountEveryMs = 60_000;
/** Of an answer to a batch of a source, which names those that failed: room for the ids of the largest batch. */
const keptOfBatchBytes = 2 * 1024 * 1024;

/**
 * Starts the role.
 * @param broken called when the disk under the log failed: only a new start tells what is there
 * @param folder its data; by default the working directory, since it has given up the rights to any other
 * @throws Error when the log cannot be used
 */
export async function startEvents(
  config: Pick<RoleConfig, 'run' | 'group' | 'gateway' | 'events' | 'hosts' | 'labels'>,
  log: Logger,
  broken: (error: unknown) => void,
  folder = '.',
): Promise<RunningRole> {
  await using started = new AsyncDisposableStack();
  const now = () => Date.now();
  const { labels = [noLabels] } = config;
  const places = started.use(openCallPlaces(config, 'events', log));
  const pass = passFrom(process.env);
  const trouble = (error: unknown, what: string) => log.error({ err: error }, what);
  const metrics = new EventMetrics(() => events.counts());
  const logMeans = {
    maxBytes: config.events.maxLogBytes,
    now: () => performance.now(),
    committed: (_writes: number, tookMs: number) => metrics.committed(tookMs),
    broken,
  };
  const events: SqliteEventLog = started.use(await openLog(config.events.log, folder, logMeans, log));
  const backlog = new TenantBacklog();
  const recount = async () => backlog.load(await events.counts());
  await recount();
  // What was counted wrong, as an event that came twice under one id, is not wrong for ever.
  const recounting = setInterval(
    () => void recount().catch((error: unknown) => trouble(error, 'events could not be counted')),
    recountEveryMs,
  );
  started.defer(() => clearInterval(recounting));
  const versionOf = ({ tenant, function: name }: FunctionRef) => subscriber.state?.functions.get(functionKey(tenant, name));
  const variables = new Variables();
  const variableOf = (ref: FunctionRef, variable: string) => variables.of(versionOf(ref), variable);
  const gatewaySockets = gatewaysOf(config).map((index) => deliverySocketOf(config.run, index));
  const queues = started.use(new QueueSender({ variableOf, open: openSink }));
  const dispatcher: Dispatcher = new Dispatcher({
    log: events,
    deliver: deliverAnywhere(
      deliverTo(gatewaySockets),
      deliverToWebhook({
        policy: addressPolicy(config.events.webhookAllow, ownAddresses),
        variableOf,
        now,
      }),
      queues.deliver,
    ),
    functions: () => subscriber.state?.functions,
    now,
    chance: Math.random,
    newId: randomUUIDv7,
    pass,
    accepted: (event) => follows(event),
    tried: (event, how) => metrics.tried(event, how),
    settled: (event, how) => {
      if (how !== 'waiting') backlog.ended(event.tenant);
      metrics.settled(event, how);
    },
    trouble,
  });
  const accepted = (event: FunctionRef) => {
    metrics.accepted(event);
    dispatcher.wake();
  };
  /** One that nobody sent: it is stored whatever the tenant's quota. */
  const follows = (event: FunctionRef) => {
    backlog.enter(event.tenant);
    accepted(event);
  };
  const timekeeper: Timekeeper = started.use(
    new Timekeeper({
      store: events.timers,
      functions: () => subscriber.state?.functions,
      now,
      accepted: follows,
      skipped: (timer) => log.warn({ timer: timerKey(timer) }, 'runs of a timer were missed and are not made up for'),
      trouble,
    }),
  );
  const warmKeeper: WarmKeeper = started.use(
    new WarmKeeper({
      deliver: deliverTo(gatewaySockets),
      functions: () => subscriber.state?.functions,
      limitMs: (version) => limitsOf(subscriber.state?.functions ?? new Map(), version).deliveryMs,
      newId: randomUUIDv7,
      now,
    }),
  );
  const sources = await keepSources(started.use(new SqliteSourceStore(`${folder}/sources.sqlite`)), {
    deliver: deliverTo(gatewaySockets, keptOfBatchBytes),
    limits: (ref) => {
      const { deliveryMs, version } = limitsOf(subscriber.state?.functions ?? new Map(), ref);
      return { isServed: version !== undefined, deliveryMs };
    },
    deadLetter: async (event) => {
      await events.accept(event);
      metrics.accepted(event);
      metrics.settled(event, 'dead-lettered');
    },
    variableOf: (version, variable) => variables.of(version, variable),
    registry: metrics.registry,
    local: { placesFolder: folder, folders: config.events.sourceFolders },
    now,
    chance: Math.random,
    trouble,
  });
  const subscriber = started.use(
    subscribeState(
      places.of('state'),
      'events',
      ({ functions }) => {
        metrics.forgetAllBut(functions);
        dispatcher.wake();
        timekeeper.wake();
        warmKeeper.wake();
        sources.follow(functions);
      },
      undefined,
      ({ serving }) => labels.some((one) => isPublishedTo(serving.config.groups, one)),
    ),
  );
  started.use(keepForgetting(events, now, (error) => log.error({ err: error }, 'ended events could not be forgotten')));

  let isStopping = false;
  const means: DoorMeans = {
    log: events,
    timers: events.timers,
    now,
    idempotencyWindowMs: (ref) => versionOf(ref)?.config.async.idempotencyWindowMs ?? idempotencyWindowMs.default,
    backlogLimit: (tenant) => subscriber.state?.tenants.get(tenant)?.quotas.asyncBacklog,
    backlog,
    accepted: (event) => {
      accepted(event);
      if (event.end !== undefined) metrics.settled(event, event.end.kind);
    },
    redriven: () => dispatcher.wake(),
    sources,
    told: (secrets) => {
      variables.take(secrets);
      if (subscriber.state !== undefined) sources.follow(subscriber.state.functions);
    },
    pass,
    health: () =>
      subscriber.state === undefined
        ? { ready: false, detail: 'does not know the functions yet' }
        : { ready: true, detail: 'stores and delivers events' },
    metrics: () => metrics.text(),
  };
  const socket = socketOf(config.run, 'events');
  clearSocket(socket);
  started.use(
    await serveCalls(places.listen('events'), 'events', {
      async ask(method, body) {
        if (isStopping && method === 'accept') throw new SwiftletError('Unavailable', 'the event log is stopping');
        try {
          return await answer(means, method, body);
        } catch (error) {
          if (method === 'accept') metrics.refused(error instanceof SwiftletError ? error.code : 'Internal');
          if (!(error instanceof SwiftletError)) log.error({ err: error, method }, 'a call failed');
          throw error;
        }
      },
    }),
  );
  shareSocket(socket, config);

  const running = started.move();
  return {
    async stop(graceOver) {
      isStopping = true;
      await Promise.all([sources.stop(graceOver), dispatcher.stop(graceOver)]);
      await running.disposeAsync();
    },
  };
}

/** A stream of NATS has an index of its own: what lies in the other file is not in it. */
async function openLog(
  where: RoleConfig['events']['log'],
  folder: string,
  means: SqliteEventLogMeans,
  log: Logger,
): Promise<SqliteEventLog> {
  if (where.kind === 'sqlite') return new SqliteEventLog(`${folder}/events.sqlite`, means);
  const { openNatsEventLog } = await import('./nats-event-log.ts');
  return openNatsEventLog(`${folder}/nats-index.sqlite`, { ...means, nats: where, log });
}

const deliverAnywhere =
  (toGateway: Deliver<CallerRequest>, toWebhook: Deliver<WebhookRequest>, toQueue: Deliver<QueueRequest>): Deliver =>
  async (delivery, signal) => {
    const { request } = delivery;
    if (request.kind === 'webhook') return toWebhook({ ...delivery, request }, signal);
    if (request.kind === 'queue') return toQueue({ ...delivery, request }, signal);
    const outcome = await toGateway({ ...delivery, request }, signal);
    return request.reportsItems === true ? itemsOutcome(outcome) : outcome;
  };

const ownAddresses = (): string[] => Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
