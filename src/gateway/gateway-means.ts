import type { Logger } from 'pino';
import type { Access } from './protection/access.ts';
import type { Agents } from './instances/agents.ts';
import type { GatewayMetrics } from './figures/metrics.ts';
import type { Reports } from './figures/reports.ts';
import type { Exchange } from './request/exchange.ts';
import type { SharedLimits } from './protection/shared-limits.ts';
import type { Tracing } from './tracing/request-trace.ts';
import type { TenantMeters } from './protection/tenant-meters.ts';

/** Carries out what functions call. */
export interface CallTaker {
  /** @returns false when it is no call */
  take(exchange: Exchange, payload: Buffer): boolean;
}

/** What a gateway is given by its process. */
export interface GatewayMeans {
  readonly access: Access;
  readonly meters: TenantMeters;
  /** Those that it gets instances from. */
  readonly agents: Agents;
  readonly reports: Reports;
  readonly metrics: GatewayMetrics;
  readonly calls: CallTaker;
  /** Undefined: no traces are exported. */
  readonly tracing: Tracing | undefined;
  readonly tenantInFlight: number;
  /** Undefined: this is the only gateway. */
  readonly shared?: SharedLimits | undefined;
  /** From 0 to 1, exclusive: decides between versions. */
  readonly chance: () => number;
  readonly log: Logger;
}
