/** Control is wired here: it owns the state, takes the API's requests, and tells the others what is served. */
import { addAbortListener } from 'node:events';
import type { Logger } from 'pino';
import { SwiftletError } from '../model/errors.ts';
import { type RoleConfig, socketOf, stateSocketOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, shareSocket } from '../role/run-role.ts';
import { connectCalls, serveCalls } from '../wire/calls.ts';
import { makeApi } from './api/server.ts';
import { collectVersions, keepCollecting } from './collect.ts';
import { FolderBlobs } from './folder-blobs.ts';
import { FunctionLogs } from './function-logs.ts';
import { Metrics } from './metrics.ts';
import { Publisher } from './publisher.ts';
import { Roles } from './roles.ts';
import { keepRollingOut } from './rollouts.ts';
import { SqliteStore } from './sqlite-store.ts';
import { Turns } from './turns.ts';

export interface RunningControl extends RunningRole {
  /** Where the API listens. */
  readonly apiUrl: string;
}

/**
 * Starts control.
 * @param folder its data; by default the working directory, since it has given up the rights to any other
 * @throws Error when the store cannot be used, or the API's port is taken
 */
export async function startControl(config: RoleConfig, log: Logger, folder = '.'): Promise<RunningControl> {
  await using started = new AsyncDisposableStack();
  const store = started.use(new SqliteStore(`${folder}/store.sqlite`));
  const blobs = await FolderBlobs.open(`${folder}/blobs`);
  if (store.isNew && (await blobs.digests()).length > 0) {
    throw new Error(
      'the store is missing although there are artifacts: restore store.sqlite from a backup, or move the folder "blobs" away to start empty',
    );
  }
  const artifactTurns = new Turns();
  const now = () => Date.now();
  started.use(keepCollecting({ store, blobs, artifactTurns, now }, log));

  const stateSocket = stateSocketOf(config.run);
  clearSocket(stateSocket);
  const publisher = started.use(await Publisher.open(store, config.tokenHashes, stateSocket, ['gateway', 'agent']));
  shareSocket(stateSocket, config);

  const logs = started.use(new FunctionLogs(socketOf(config.run, 'relay')));
  const gateway = started.use(connectCalls(socketOf(config.run, 'gateway'), 'control'));
  const agent = started.use(connectCalls(socketOf(config.run, 'agent'), 'control'));
  const events = started.use(connectCalls(socketOf(config.run, 'events'), 'control'));
  const roles = new Roles({ gateway, agent, relay: logs.relay, events }, () => performance.now());
  const metrics = new Metrics(roles);
  started.use(keepRollingOut({ store, roles, now, ended: (how) => metrics.rollout(how), log }));

  const ownSocket = socketOf(config.run, 'control');
  clearSocket(ownSocket);
  started.use(await serveCalls(ownSocket, 'control', { ask: (method) => answer(method, metrics) }));
  shareSocket(ownSocket, config);

  const api = await makeApi({
    config,
    store,
    blobs,
    artifactTurns,
    publisher,
    roles,
    logs,
    metrics,
    now,
    made: ({ tenant, function: name }) => {
      collectVersions({ store }, tenant, name).catch((error: unknown) =>
        log.error({ err: error, tenant, function: name }, 'old versions could not be collected'),
      );
    },
    unforeseen: (error, requestId) => log.error({ err: error, requestId }, 'a request to the API failed'),
  });
  started.defer(() => api.close());
  const apiUrl = await api.listen({ host: config.api.host, port: config.api.port });

  const running = started.move();
  return {
    apiUrl,
    async stop(graceOver) {
      logs.endFollowers();
      using _late = addAbortListener(graceOver, () => api.server.closeAllConnections());
      await running.disposeAsync();
    },
  };
}

async function answer(method: string, metrics: Metrics): Promise<unknown> {
  if (method === 'health') return { ready: true, detail: 'answers' };
  if (method === 'metrics') return { text: await metrics.own() };
  throw new SwiftletError('NotFound', `control knows no call "${method}"`);
}
