/** What gateways and control ask of the agent. Everything is parsed here. */
import {
  type AcquiredInstance,
  type BuildsAnswer,
  type BundleAnswer,
  acquireRestingSchema,
  acquireSchema,
  askBundleSchema,
  askCustomPoolSchema,
  type CustomPoolStatus,
  askNetworkSchema,
  askPrivateNetworkSchema,
  askWarmthSchema,
  discardSchema,
  type Ended,
  gatewayGreetingSchema,
  type InstanceSummary,
  leaseMs,
  type ProvisionedStatus,
  releaseSchema,
  renewSchema,
  sparedSchema,
  type NetworkCounts,
  type PrivateNetworkState,
  type StartFailed,
  type Starting,
  type Warmth,
  withdrawSchema,
} from '../wire/agent-calls.ts';
import { askSecretUseSchema, type SecretsNotice, secretsSchema, type SecretUse } from '../wire/secret-calls.ts';
import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import type { CallHandlers, CallServer, Peer } from '../wire/calls.ts';
import { targetsSchema } from '../wire/scale-calls.ts';
import type { EndReason } from './end-reason.ts';
import type { Acquired, Instance } from './instance.ts';
import type { Instances } from './instances.ts';
import { heldBytes } from './levels.ts';
import type { IsolationReport } from './isolation.ts';
import { idleLimitMs } from './rest.ts';
import type { Targets } from './targets.ts';

export interface DoorMeans {
  readonly instances: Instances;
  /** A gateway has come. */
  readonly greeted: (gateway: Peer) => void;
  /** Nobody waits any more for an instance that was asked for: it is not started, unless it has its sandbox. */
  readonly withdraw: (id: string) => void;
  /** A gateway has given the slots that it could. */
  readonly spared: (ask: number) => void;
  /** Where the autoscaler's word is kept. */
  readonly targets: Pick<Targets, 'take'>;
  /** How those of the serving versions are that want instances at all times. */
  readonly provisioned: () => readonly ProvisionedStatus[];
  /** How many instances of a version can take requests, and what kept the last one from starting. */
  readonly warmth: (version: Pick<Version, 'tenant' | 'function' | 'number'>) => Warmth;
  /** Takes what control says of secrets. */
  readonly takeSecrets: (notice: SecretsNotice) => void;
  /** With which values of a secret instances run. */
  readonly secretUse: (tenant: string, name: string) => SecretUse;
  /** What a function's connections came to; undefined where functions have no network. */
  readonly networkCounts: (tenant: string, name: string) => NetworkCounts | undefined;
  /** How the tunnels of a private network are; undefined where functions have no network, and for one that is not known. */
  readonly privateNetwork: (tenant: string, name: string) => Promise<PrivateNetworkState | undefined>;
  /** Whether this host can freeze. */
  readonly canFreeze: boolean;
  /** What a byte that lies in swap takes of the host's memory. */
  readonly memoryPerSwappedByte: () => number;
  /** Resolves with the version as soon as it is published here. @throws SwiftletError Unavailable when that takes too long */
  readonly published: (tenant: string, name: string, number: number) => Promise<Version>;
  readonly metrics: () => Promise<string>;
  readonly isolation: IsolationReport;
  /** What became of a version's code; undefined for one that is not served. */
  readonly bundle: (tenant: string, name: string, number: number) => BundleAnswer;
  /** How a custom pool is; undefined when nothing that is published uses it. */
  readonly customPool: (tenant: string, name: string) => CustomPoolStatus | undefined;
  /** Whether dependencies can be installed here. */
  readonly builds: () => BuildsAnswer;
  /** Aborted once this agent stops: it starts nothing more. */
  readonly stopping: AbortSignal;
  /** Whether control's changes come here now. */
  readonly isFollowing: () => boolean;
}

export function door(means: DoorMeans): CallHandlers {
  const {
    instances,
    greeted,
    withdraw,
    spared,
    targets,
    provisioned,
    warmth,
    takeSecrets,
    secretUse,
    networkCounts,
    privateNetwork,
    canFreeze,
    memoryPerSwappedByte,
    published,
    metrics,
    isolation,
    bundle,
    customPool,
    builds,
    isFollowing,
    stopping,
  } = means;
  const leased = ({ instance, slots, start, times }: Acquired): AcquiredInstance => ({
    instanceId: instance.id,
    socketPath: instance.sandbox.socketPath,
    slots,
    start,
    ...times,
    isProvisioned: instances.isProvisioned(instance),
    idleLimitMs: idleLimitMs({ ...instance.version.config, canFreeze }),
    leaseMs,
  });
  return {
    async ask(method, body, peer) {
      switch (method) {
        case 'acquire': {
          if (stopping.aborted) throw new SwiftletError('Unavailable', 'the agent is stopping');
          const { tenant, function: name, number, instanceId } = acquireSchema.parse(body);
          const version = await published(tenant, name, number);
          const acquired = await instances.acquire(
            version,
            peer,
            instanceId,
            ({ socketPath }) => peer.notify('starting', { instanceId, socketPath } satisfies Starting),
            (failed) => peer.notify('start failed', { instanceId, ...failed } satisfies StartFailed),
          );
          return leased(acquired);
        }
        case 'acquire resting': {
          const { tenant, function: name, number } = acquireRestingSchema.parse(body);
          const acquired = stopping.aborted ? undefined : instances.resting(await published(tenant, name, number), peer);
          if (acquired === undefined) throw new SwiftletError('NotFound', `no instance of function "${name}" rests`);
          return leased(acquired);
        }
        case 'instances':
          return [...instances.all].map((instance) => summary(instance, instances.isProvisioned(instance), memoryPerSwappedByte()));
        case 'capacity':
          return instances.capacity();
        case 'provisioned':
          return provisioned();
        case 'warmth':
          return warmth(askWarmthSchema.parse(body));
        case 'bundle': {
          const { tenant, function: name, number } = askBundleSchema.parse(body);
          return bundle(tenant, name, number);
        }
        case 'pool': {
          const { tenant, name } = askCustomPoolSchema.parse(body);
          return { pool: customPool(tenant, name) };
        }
        case 'builds':
          return builds();
        case 'secrets':
          takeSecrets(secretsSchema.parse(body));
          return {};
        case 'secretUse': {
          const { tenant, name } = askSecretUseSchema.parse(body);
          return secretUse(tenant, name);
        }
        case 'network': {
          const { tenant, function: name } = askNetworkSchema.parse(body);
          return { counts: networkCounts(tenant, name) };
        }
        case 'privateNetwork': {
          const { tenant, name } = askPrivateNetworkSchema.parse(body);
          return { network: await privateNetwork(tenant, name) };
        }
        case 'isolation':
          return isolation;
        case 'metrics':
          return { text: await metrics() };
        case 'health':
          return isFollowing() ? { ready: true, detail: 'takes starts' } : { ready: false, detail: 'does not follow control yet' };
        default:
          throw new SwiftletError('NotFound', `the agent knows no call "${method}"`);
      }
    },
    notice(method, body, peer) {
      if (method === 'renew') {
        const held = renewSchema.parse(body);
        instances.renew(held.instanceIds, peer, held.slots);
      }
      if (method === 'spared') spared(sparedSchema.parse(body).ask);
      if (method === 'withdraw') for (const id of withdrawSchema.parse(body).instanceIds) withdraw(id);
      if (method === 'targets') {
        const told = targetsSchema.parse(body);
        targets.take(told.targets, told.validMs);
      }
      if (method === 'release') {
        const { instanceId, idleSinceMsAgo, slots } = releaseSchema.parse(body);
        instances.release(instanceId, peer, idleSinceMsAgo, slots);
      }
      if (method === 'discard') {
        const { instanceId, code, detail } = discardSchema.parse(body);
        instances.end(instanceId, { code, detail });
      }
    },
    opened(peer) {
      const greeting = gatewayGreetingSchema.safeParse(peer.greeting);
      if (!greeting.success) return;
      instances.renew(greeting.data.holds, peer, greeting.data.slots);
      greeted(peer);
    },
    closed: () => instances.tidy(),
  };
}

/** Tells every gateway that an instance is gone. */
export function announceEnd(server: Pick<CallServer, 'peers'>, instance: Instance, { code, detail }: EndReason): void {
  const ended: Ended = { instanceId: instance.id, code, detail };
  for (const peer of server.peers) if (peer.role === 'gateway') peer.notify('ended', ended);
}

/** @param perSwappedByte what a byte in swap takes of the memory */
function summary({ id, version, state, startedAt, sandbox }: Instance, isProvisioned: boolean, perSwappedByte: number): InstanceSummary {
  return {
    instanceId: id,
    tenant: version.tenant,
    function: version.function,
    version: version.number,
    state: state.kind,
    provisioned: isProvisioned,
    startedAt,
    memoryBytes: state.kind === 'hibernated' ? heldBytes(sandbox.memory(), perSwappedByte) : sandbox.memoryBytes(),
    pid: sandbox.pid,
  };
}
