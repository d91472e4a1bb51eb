/** Control is wired here: it owns the state, takes the API's requests, and tells the others what is served. */
import { randomUUID } from 'node:crypto';
import { addAbortListener } from 'node:events';
import type { Logger } from 'pino';
import { SwiftletError } from '../model/errors.ts';
import { callerSecretNames, eventSecretNames } from '../model/event-secrets.ts';
import { buildsAtOnce, waitingBuilds } from '../model/limits.ts';
import type { Issuer, PublishedIssuer } from '../model/issuer.ts';
import { secretNames } from '../model/secret.ts';
import { keySourceId } from '../model/url-auth.ts';
import { packageVersion } from '../role/package-version.ts';
import {
  agentLabels,
  agentsOf,
  buildSettings,
  buildSocketOf,
  gatewaysOf,
  lambdaSocketOf,
  type RoleConfig,
  socketOf,
  stateSocketOf,
} from '../role/role-config.ts';
import type { RootKeys } from '../role/root-keys.ts';
import { clearSocket, type RunningRole, shareSocket } from '../role/run-role.ts';
import { lacksSchema } from '../wire/budget-calls.ts';
import { connectCalls, serveCalls } from '../wire/calls.ts';
import { unknownCallerKeySchema, unknownKeySchema } from '../wire/gateway-calls.ts';
import { Identities } from '../wire/identities.ts';
import { AccessKeys } from './access-keys.ts';
import { Agents } from './agents.ts';
import type { ApiMeans } from './api/api.ts';
import { makeApi } from './api/server.ts';
import { AuditFile } from './audit/audit-file.ts';
import { AuditTrail } from './audit/trail.ts';
import { Autoscaler } from './autoscaler.ts';
import { buildAgent } from './builds/build-agent.ts';
import { BuildQueue } from './builds/build-queue.ts';
import { Builds } from './builds/builds.ts';
import { DependencyCache } from './builds/dependency-cache.ts';
import { BuiltInLayers } from './built-in-layers/built-in-layers.ts';
import { keepCallerKeys } from './caller-keys.ts';
import { collectVersions, keepCollecting } from './collect.ts';
import { FolderBlobs } from './folder-blobs.ts';
import { FunctionLogs } from './function-logs.ts';
import { type Keys, KeyReader } from './key-reader.ts';
import { keepScaling } from './keep-scaling.ts';
import { makeLambdaApi } from './lambda/lambda-api.ts';
import { keepMetering } from './metering.ts';
import { Metrics } from './metrics.ts';
import { MoveBudgets } from './move-budgets.ts';
import { readJson } from './read-json.ts';
import { Publisher } from './publisher.ts';
import { Gateways } from './gateways.ts';
import { hostsDoor } from './hosts/hosts-door.ts';
import { openHosts } from './hosts/open-hosts.ts';
import { Roles } from './roles.ts';
import { keepRollingOut, type RolloutMeans } from './rollouts.ts';
import { HandOut } from './secrets/hand-out.ts';
import { Secrets } from './secrets/secrets.ts';
import { SqliteStore } from './sqlite-store.ts';
import { Turns } from './turns.ts';

/** What an agent may need beside a build's own time: to prepare what builds are shown, and to end one. */
const agentDelayMs = 60_000;

export interface RunningControl extends RunningRole {
  /** Where the API listens. */
  readonly apiUrl: string;
}

/**
 * Starts control.
 * @param rootKeys where the keys are that secrets are sealed with
 * @param folder its data; by default the working directory, since it has given up the rights to any other
 * @throws Error when the store cannot be used, or the API's port is taken
 */
export async function startControl(config: RoleConfig, log: Logger, rootKeys: RootKeys, folder = '.'): Promise<RunningControl> {
  await using started = new AsyncDisposableStack();
  const store = started.use(new SqliteStore(`${folder}/store.sqlite`));
  const blobs = await FolderBlobs.open(`${folder}/blobs`);
  if (store.isNew && (await blobs.digests()).length > 0) {
    throw new Error(
      'the store is missing although there are artifacts: restore store.sqlite from a backup, or move the folder "blobs" away to start empty',
    );
  }
  const artifactTurns = new Turns();
  const cache = await DependencyCache.open(`${folder}/dependencies`, () => Date.now());
  const now = () => Date.now();
  const secrets = await Secrets.open({ store: store.secrets, rootKeys, now });
  started.use(keepCollecting({ store, blobs, artifactTurns, now }, log));

  const hosts = started.use(await openHosts({ config, folder, now, log }));
  const { places } = hosts;
  const stateSocket = stateSocketOf(config.run);
  clearSocket(stateSocket);
  const late: { moves?: MoveBudgets } = {};
  const heard = (method: string, body: unknown) => {
    if (method === 'unknown key') refreshIssuer(unknownKeySchema.parse(body).issuer);
    if (method === 'lacks') void late.moves?.lacks(lacksSchema.parse(body));
    if (method === 'unknown caller key') callerKeys.refresh(unknownCallerKeySchema.parse(body).id);
  };
  const publisher = started.use(await Publisher.open(store, config.tokenHashes, places.listen('state'), ['gateway', 'agent'], heard));
  const trusted = config.issuers ?? [];
  const refreshIssuer = (name: string) => {
    for (const issuer of trusted) if (issuer.issuer === name) issuerKeys.refresh(keySourceId(issuer));
  };
  const identities = new Identities(refreshIssuer);
  const issuerKeys: KeyReader = started.use(
    new KeyReader({
      readJson,
      publish: (keys) => {
        const issuers = trusted.flatMap((issuer) => publishedIssuer(issuer, keys.get(keySourceId(issuer))));
        identities.take(issuers);
        publisher.tell('issuers', issuers);
      },
      log,
    }),
  );
  issuerKeys.want(trusted);
  const callerKeys: KeyReader = started.use(
    keepCallerKeys({
      state: () => publisher.state,
      watch: (changed) => store.watch(changed),
      tell: (keys) => publisher.tell('caller keys', keys),
      allowed: config.events.webhookAllow,
      log,
    }),
  );
  const accessKeys = started.use(
    await AccessKeys.open({
      secrets,
      tokens: () => publisher.state.tokens,
      watch: (changed) => store.watch(changed),
      now,
      tell: (keys) => publisher.tell('access keys', keys),
      log,
    }),
  );
  shareSocket(stateSocket, config);

  const logs = started.use(new FunctionLogs(places.of('relay')));
  const told: { agents: HandOut[]; events?: HandOut; gateways: HandOut[] } = { agents: [], gateways: [] };
  const gateways = gatewaysOf(config).map((index) =>
    started.use(connectCalls(places.of('gateway', index), 'control', { opened: () => told.gateways[index]?.greeted() })),
  );
  const agents = agentsOf(config).map((index) =>
    started.use(connectCalls(places.of('agent', index), 'control', { opened: () => told.agents[index]?.greeted() })),
  );
  const events = started.use(connectCalls(places.of('events'), 'control', { opened: () => told.events?.greeted() }));
  for (const to of agents)
    told.agents.push(started.use(await HandOut.open({ secrets, store, log, to, needed: (config) => secretNames(config.secrets) })));
  told.events = started.use(await HandOut.open({ secrets, store, log, to: events, needed: eventSecretNames }));
  for (const to of gateways) told.gateways.push(started.use(await HandOut.open({ secrets, store, log, to, needed: callerSecretNames })));
  for (const handOut of [...told.agents, told.events, ...told.gateways]) handOut.greeted();
  late.moves = new MoveBudgets(agents, log);
  const labels = agentLabels(config);
  const roles = new Roles(new Gateways(gateways), new Agents(agents, labels), { relay: logs.relay, events }, () => performance.now());
  const tenants = () => publisher.state.tenants;
  started.use(keepMetering({ tenants, relay: logs.relay, now, tell: (spent) => publisher.tell('spent', spent), log }));
  const autoscaler = new Autoscaler({ state: () => publisher.state, roles, now });
  const metrics = new Metrics(roles, autoscaler);
  const audit = started.use(
    await AuditTrail.open({
      store: store.audit,
      file: await AuditFile.open(`${folder}/audit`),
      now,
      newId: () => randomUUID(),
      verified: (isIntact) => metrics.audited(isIntact),
      log,
    }),
  );
  const ended: RolloutMeans['ended'] = (how, { tenant, name, version }) => {
    metrics.rollout(how);
    audit.note(tenant, `rollout ${how}`, `/v1/functions/${name}/rollout`, `version ${version}`);
  };
  started.use(keepRollingOut({ store, roles, labels, now, ended, log }));

  started.use(keepScaling(autoscaler, log));

  const ownSocket = socketOf(config.run, 'control');
  clearSocket(ownSocket);
  started.use(await serveCalls(ownSocket, 'control', { ask: (method) => answer(method, metrics) }));
  shareSocket(ownSocket, config);
  if (config.hosts !== undefined) {
    const means = { blobs, authority: hosts.authority, certificateLifeMs: config.hosts.certificateLifeMs };
    started.use(await serveCalls(places.listen('hosts'), 'control', hostsDoor(means)));
  }

  const { registries, pythonRegistries, timeoutMs } = buildSettings(config);
  const builds = new Builds({
    store,
    blobs,
    artifactTurns,
    cache,
    queue: new BuildQueue({ ...buildsAtOnce, waiting: waitingBuilds }),
    agent: buildAgent(buildSocketOf(config.run)),
    registries: { npm: registries, pip: pythonRegistries },
    builder: `${packageVersion}-${process.arch}`,
    facts: () => roles.builds(),
    patienceMs: timeoutMs + agentDelayMs,
    now,
    log,
  });
  const builtInLayers = new BuiltInLayers({ store, blobs, artifactTurns, builds, now });
  const made: ApiMeans['made'] = ({ tenant, function: name }) => {
    collectVersions({ store }, tenant, name).catch((error: unknown) =>
      log.error({ err: error, tenant, function: name }, 'old versions could not be collected'),
    );
  };
  const unforeseen = (error: unknown, requestId: string) => log.error({ err: error, requestId }, 'a request to the API failed');
  const api = await makeApi({
    config,
    store,
    blobs,
    artifactTurns,
    builds,
    builtInLayers,
    publisher,
    identities,
    accessKeys,
    roles,
    secrets,
    audit,
    autoscaler,
    logs,
    metrics,
    hosts,
    now,
    made,
    unforeseen,
  });
  started.defer(() => api.close());
  const apiUrl = await api.listen({ host: config.api.host, port: config.api.port });

  const lambdaSocket = lambdaSocketOf(config.run);
  clearSocket(lambdaSocket);
  const lambdaApi = makeLambdaApi({
    config,
    store,
    blobs,
    artifactTurns,
    builtInLayers,
    publisher,
    accessKeys,
    audit,
    logs,
    roles,
    now,
    made,
    unforeseen,
  });
  started.defer(() => lambdaApi.close());
  await lambdaApi.listen({ path: lambdaSocket });
  shareSocket(lambdaSocket, config);

  const running = started.move();
  return {
    apiUrl,
    async stop(graceOver) {
      builds.close();
      logs.endFollowers();
      audit.endWaiting();
      using _late = addAbortListener(graceOver, () => api.server.closeAllConnections());
      await running.disposeAsync();
    },
  };
}

const publishedIssuer = (issuer: Issuer, keys: Keys | undefined): PublishedIssuer[] => (keys === undefined ? [] : [{ ...issuer, keys }]);

async function answer(method: string, metrics: Metrics): Promise<unknown> {
  if (method === 'health') return { ready: true, detail: 'answers' };
  if (method === 'metrics') return { text: await metrics.own() };
  throw new SwiftletError('NotFound', `control knows no call "${method}"`);
}
