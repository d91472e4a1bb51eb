/** The events role is wired here: it stores what gateways accept, and delivers it through a gateway. */
import { randomUUIDv7 } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { Logger } from 'pino';
import { SwiftletError } from '../model/errors.ts';
import { idempotencyWindowMs } from '../model/limits.ts';
import { passFrom } from '../role/fault-points.ts';
import { deliverySocketOf, type RoleConfig, socketOf, stateSocketOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, shareSocket } from '../role/run-role.ts';
import { serveCalls } from '../wire/calls.ts';
import type { CallerRequest, WebhookRequest } from '../wire/event-calls.ts';
import { functionKey } from '../wire/published-state.ts';
import { subscribeState } from '../wire/state-subscriber.ts';
import { addressPolicy } from './address-policy.ts';
import { type Deliver, deliverTo } from './deliver.ts';
import { deliverToWebhook } from './deliver-webhook.ts';
import { Dispatcher } from './dispatcher.ts';
import { answer, type DoorMeans } from './door.ts';
import type { FunctionRef } from './event-log.ts';
import { EventMetrics } from './metrics.ts';
import { keepForgetting } from './retention.ts';
import { SqliteEventLog } from './sqlite-event-log.ts';
import { Timekeeper } from './timekeeper.ts';
import { timerKey } from './timer-changes.ts';

/**
 * Starts the role.
 * @param broken called when the disk under the log failed: only a new start tells what is there
 * @param folder its data; by default the working directory, since it has given up the rights to any other
 * @throws Error when the log cannot be used
 */
export async function startEvents(
  config: Pick<RoleConfig, 'run' | 'group' | 'events'>,
  log: Logger,
  broken: (error: unknown) => void,
  folder = '.',
): Promise<RunningRole> {
  await using started = new AsyncDisposableStack();
  const now = () => Date.now();
  const pass = passFrom(process.env);
  const trouble = (error: unknown, what: string) => log.error({ err: error }, what);
  const metrics = new EventMetrics(() => events.counts());
  const events: SqliteEventLog = started.use(
    new SqliteEventLog(`${folder}/events.sqlite`, {
      maxBytes: config.events.maxLogBytes,
      now: () => performance.now(),
      committed: (_writes, tookMs) => metrics.committed(tookMs),
      broken,
    }),
  );
  const versionOf = ({ tenant, function: name }: FunctionRef) => subscriber.state?.functions.get(functionKey(tenant, name));
  const dispatcher: Dispatcher = new Dispatcher({
    log: events,
    deliver: deliverAnywhere(
      deliverTo(deliverySocketOf(config.run)),
      deliverToWebhook({
        policy: addressPolicy(config.events.webhookAllow, ownAddresses),
        variableOf: (ref, variable) => versionOf(ref)?.config.environment[variable],
        now,
      }),
    ),
    functions: () => subscriber.state?.functions,
    now,
    chance: Math.random,
    newId: randomUUIDv7,
    pass,
    accepted: (event) => accepted(event),
    tried: (event, how) => metrics.tried(event, how),
    settled: (event, how) => metrics.settled(event, how),
    trouble,
  });
  const accepted = (event: FunctionRef) => {
    metrics.accepted(event);
    dispatcher.wake();
  };
  const timekeeper: Timekeeper = started.use(
    new Timekeeper({
      store: events.timers,
      functions: () => subscriber.state?.functions,
      now,
      accepted,
      skipped: (timer) => log.warn({ timer: timerKey(timer) }, 'runs of a timer were missed and are not made up for'),
      trouble,
    }),
  );
  const subscriber = started.use(
    subscribeState(stateSocketOf(config.run), 'events', ({ functions }) => {
      metrics.forgetAllBut(functions);
      dispatcher.wake();
      timekeeper.wake();
    }),
  );
  started.use(keepForgetting(events, now, (error) => log.error({ err: error }, 'ended events could not be forgotten')));

  let isStopping = false;
  const means: DoorMeans = {
    log: events,
    timers: events.timers,
    now,
    idempotencyWindowMs: (ref) => versionOf(ref)?.config.async.idempotencyWindowMs ?? idempotencyWindowMs.default,
    accepted,
    redriven: () => dispatcher.wake(),
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
    await serveCalls(socket, 'events', {
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
      await dispatcher.stop(graceOver);
      await running.disposeAsync();
    },
  };
}

const deliverAnywhere =
  (toGateway: Deliver<CallerRequest>, toWebhook: Deliver<WebhookRequest>): Deliver =>
  (delivery, signal) => {
    const { request } = delivery;
    return request.kind === 'webhook' ? toWebhook({ ...delivery, request }, signal) : toGateway({ ...delivery, request }, signal);
  };

const ownAddresses = (): string[] => Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
