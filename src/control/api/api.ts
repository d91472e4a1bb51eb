/** What all resources of the API are made from and with. */
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RoleConfig } from '../../role/role-config.ts';
import type { AccessKeys } from '../access-keys.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Autoscaler } from '../autoscaler.ts';
import type { Blobs } from '../blobs.ts';
import type { BuiltInLayers } from '../built-in-layers/built-in-layers.ts';
import type { Builds } from '../builds/builds.ts';
import type { DeployMeans } from '../deploy.ts';
import type { PublishedState } from '../../wire/published-state.ts';
import type { ControlHosts } from '../hosts/open-hosts.ts';
import type { FunctionLogs } from '../function-logs.ts';
import type { Metrics } from '../metrics.ts';
import type { Roles } from '../roles.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Store } from '../store.ts';
import type { Identities } from '../../wire/identities.ts';
import type { Turns } from '../turns.ts';

export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

export interface ApiMeans {
  readonly config: Pick<RoleConfig, 'gateway' | 'api' | 'agent'>;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly artifactTurns: Turns;
  readonly builds: Builds;
  readonly builtInLayers: Pick<BuiltInLayers, 'resolve' | 'given'>;
  readonly publisher: DeployMeans['publisher'] & { readonly state: PublishedState };
  readonly made: DeployMeans['made'];
  readonly identities: Identities;
  readonly accessKeys: Pick<AccessKeys, 'add' | 'has'>;
  readonly roles: Roles;
  readonly secrets: Secrets;
  readonly audit: AuditTrail;
  readonly autoscaler: Pick<Autoscaler, 'viewsOf'>;
  readonly logs: FunctionLogs;
  readonly metrics: Metrics;
  readonly hosts: ControlHosts;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Tells the platform's own log of an error that nobody foresaw. */
  readonly unforeseen: (error: unknown, requestId: string) => void;
}
