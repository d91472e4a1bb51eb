import { Counter, Gauge, Registry } from 'prom-client';
import { SwiftletError } from '../model/errors.ts';
import type { ProvisionedStatus } from '../wire/agent-calls.ts';
import type { Instances } from './instances.ts';
import type { Pools } from './pools.ts';

export interface AgentMetrics {
  /** Counts a cold start when it has come to an end. @returns what was given */
  counted<T>(start: Promise<T>): Promise<T>;
  text(): Promise<string>;
}

/** The agent's part of `GET /metrics`; gauges are read from what they measure when somebody looks. */
export function agentMetrics(instances: Instances, pools: () => Pools, provisioned: () => readonly ProvisionedStatus[]): AgentMetrics {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: 'swiftlet_instances',
    help: 'Instances on this host by function and state',
    labelNames: ['tenant', 'function', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { version, state } of instances.all) this.inc({ tenant: version.tenant, function: version.function, state: state.kind });
    },
  });
  const wanted = (name: string, help: string, read: (status: ProvisionedStatus) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['tenant', 'function'],
      registers,
      collect() {
        this.reset();
        for (const status of provisioned()) this.inc({ tenant: status.tenant, function: status.function }, read(status));
      },
    });
  wanted('swiftlet_provisioned_requested', 'Instances that a function is to have at all times', (status) => status.requested);
  wanted('swiftlet_provisioned_ready', 'Those of them that are there', (status) => status.ready);
  const pool = (name: string, help: string, read: (p: { ready: number; target: number; booting: number }) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['runtime', 'memory_mib'],
      registers,
      collect() {
        this.reset();
        for (const p of pools().all) this.set({ runtime: p.kind.runtime, memory_mib: String(p.kind.memoryMiB) }, read(p));
      },
    });
  pool('swiftlet_pool_ready', 'Warm sandboxes ready to be taken', (p) => p.ready);
  pool('swiftlet_pool_size', 'Warm sandboxes that the pool is to hold', (p) => p.target);
  pool('swiftlet_pool_booting', 'Sandboxes that boot now', (p) => p.booting);
  const starts = new Counter({
    name: 'swiftlet_cold_starts_total',
    help: 'Cold starts by outcome: ok or an error code',
    labelNames: ['outcome'],
    registers,
  });
  const note = (outcome: string) => starts.inc({ outcome });
  return {
    counted(start) {
      start.then(
        () => note('ok'),
        (error: unknown) => note(error instanceof SwiftletError ? error.code : 'Internal'),
      );
      return start;
    },
    text: () => registry.metrics(),
  };
}
