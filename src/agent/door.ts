/** What gateways and control ask of the agent. Everything is parsed here. */
import {
  type AcquiredInstance,
  acquireSchema,
  askWarmthSchema,
  discardSchema,
  type Ended,
  gatewayGreetingSchema,
  type InstanceSummary,
  leaseMs,
  type ProvisionedStatus,
  releaseSchema,
  renewSchema,
  type Starting,
  type Warmth,
} from '../wire/agent-calls.ts';
import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import type { CallHandlers, CallServer } from '../wire/calls.ts';
import type { EndReason } from './end-reason.ts';
import type { Instance } from './instance.ts';
import type { Instances } from './instances.ts';
import type { IsolationReport } from './isolation.ts';
import { idleLimitMs } from './rest.ts';

export interface DoorMeans {
  readonly instances: Instances;
  /** How those of the serving versions are that want instances at all times. */
  readonly provisioned: () => readonly ProvisionedStatus[];
  /** How many instances of a version can take requests, and what kept the last one from starting. */
  readonly warmth: (version: Pick<Version, 'tenant' | 'function' | 'number'>) => Warmth;
  /** Whether this host can freeze. */
  readonly canFreeze: boolean;
  /** Resolves with the version as soon as it is published here. @throws SwiftletError Unavailable when that takes too long */
  readonly published: (tenant: string, name: string, number: number) => Promise<Version>;
  readonly metrics: () => Promise<string>;
  readonly isolation: IsolationReport;
  /** Whether control's changes come here now. */
  readonly isFollowing: () => boolean;
}

export function door(means: DoorMeans): CallHandlers {
  const { instances, provisioned, warmth, canFreeze, published, metrics, isolation, isFollowing } = means;
  return {
    async ask(method, body, peer) {
      switch (method) {
        case 'acquire': {
          const { tenant, function: name, number, instanceId } = acquireSchema.parse(body);
          const version = await published(tenant, name, number);
          const { instance, start, times } = await instances.acquire(version, peer, instanceId, ({ socketPath }) =>
            peer.notify('starting', { instanceId, socketPath } satisfies Starting),
          );
          return {
            instanceId: instance.id,
            socketPath: instance.sandbox.socketPath,
            slots: instance.version.config.concurrency,
            start,
            ...times,
            isProvisioned: instances.isProvisioned(instance),
            idleLimitMs: idleLimitMs({ ...instance.version.config, canFreeze }),
            leaseMs,
          } satisfies AcquiredInstance;
        }
        case 'instances':
          return [...instances.all].map((instance) => summary(instance, instances.isProvisioned(instance)));
        case 'provisioned':
          return provisioned();
        case 'warmth':
          return warmth(askWarmthSchema.parse(body));
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
      if (method === 'renew') instances.renew(renewSchema.parse(body).instanceIds, peer);
      if (method === 'release') {
        const { instanceId, idleSinceMsAgo } = releaseSchema.parse(body);
        instances.release(instanceId, peer, idleSinceMsAgo);
      }
      if (method === 'discard') {
        const { instanceId, code, detail } = discardSchema.parse(body);
        instances.end(instanceId, { code, detail });
      }
    },
    opened(peer) {
      const greeting = gatewayGreetingSchema.safeParse(peer.greeting);
      if (greeting.success) instances.renew(greeting.data.holds, peer);
    },
    closed: () => instances.tidy(),
  };
}

/** Tells every gateway that an instance is gone. */
export function announceEnd(server: Pick<CallServer, 'peers'>, instance: Instance, { code, detail }: EndReason): void {
  const ended: Ended = { instanceId: instance.id, code, detail };
  for (const peer of server.peers) if (peer.role === 'gateway') peer.notify('ended', ended);
}

function summary({ id, version, state, startedAt, sandbox }: Instance, isProvisioned: boolean): InstanceSummary {
  return {
    instanceId: id,
    tenant: version.tenant,
    function: version.function,
    version: version.number,
    state: state.kind,
    provisioned: isProvisioned,
    startedAt,
    memoryBytes: sandbox.memoryBytes(),
    pid: sandbox.pid,
  };
}
