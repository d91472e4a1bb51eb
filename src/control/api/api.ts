/** What all resources of the API are made from and with. */
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RoleConfig } from '../../role/role-config.ts';
import type { Blobs } from '../blobs.ts';
import type { DeployMeans } from '../deploy.ts';
import type { FunctionLogs } from '../function-logs.ts';
import type { Metrics } from '../metrics.ts';
import type { Roles } from '../roles.ts';
import type { Store } from '../store.ts';
import type { Turns } from '../turns.ts';

export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

export interface ApiMeans {
  readonly config: Pick<RoleConfig, 'gateway' | 'api' | 'agent' | 'tokenHashes'>;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly artifactTurns: Turns;
  readonly publisher: DeployMeans['publisher'];
  readonly made: DeployMeans['made'];
  readonly roles: Roles;
  readonly logs: FunctionLogs;
  readonly metrics: Metrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Tells the platform's own log of an error that nobody foresaw. */
  readonly unforeseen: (error: unknown, requestId: string) => void;
}
