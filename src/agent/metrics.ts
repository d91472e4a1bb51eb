import { Counter, Gauge, Registry } from 'prom-client';
import { SwiftletError } from '../model/errors.ts';
import type { RuntimeName } from '../model/runtimes.ts';
import type { NetworkCounts, ProvisionedStatus } from '../wire/agent-calls.ts';
import type { Instances } from './instances.ts';
import type { CgroupMemory } from './linux/cgroup.ts';
import { Withdrawn } from './pool.ts';
import type { Pools } from './pools.ts';

export interface AgentMetrics {
  /** Counts a cold start when it has come to an end. @returns what was given */
  counted<T>(runtime: RuntimeName, start: Promise<T>): Promise<T>;
  text(): Promise<string>;
}

/** Where the gauges and counters come from. */
export interface Measured {
  readonly instances: Instances;
  /** What all sandboxes have. */
  readonly memory: () => CgroupMemory;
  readonly pools: () => Pools;
  readonly provisioned: () => readonly ProvisionedStatus[];
  /** By function; undefined where functions have no network. */
  readonly network: () => ReadonlyMap<string, NetworkCounts> | undefined;
  /** The proxies of private networks that functions name; absent where functions have no network. */
  readonly proxies?: () => readonly ProxyReading[] | undefined;
}

export interface ProxyReading {
  readonly tenant: string;
  readonly network: string;
  /** Its address. */
  readonly proxy: string;
  readonly isUp: boolean;
  readonly isActive: boolean;
}

/** The agent's part of `GET /metrics`; gauges are read from what they measure when somebody looks. */
export function agentMetrics({ instances, memory, pools, provisioned, network, proxies }: Measured): AgentMetrics {
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
  const held = (name: string, help: string, read: (memory: CgroupMemory) => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(memory()));
      },
    });
  held('swiftlet_sandboxes_private_bytes', 'What sandboxes have in memory, without the files that they read', (now) => now.privateBytes);
  held('swiftlet_sandboxes_swapped_bytes', 'What they have in swap', (now) => now.swappedBytes);
  new Gauge({
    name: 'swiftlet_instances_outdated',
    help: 'Instances that have a rotated secret’s old value and are being replaced',
    labelNames: ['tenant', 'function'],
    registers,
    collect() {
      this.reset();
      for (const instance of instances.all) {
        const { version, state } = instance;
        if (state.kind !== 'ending' && instances.isStale(instance)) this.inc({ tenant: version.tenant, function: version.function });
      }
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
      labelNames: ['runtime', 'memory_mib', 'tenant', 'pool'],
      registers,
      collect() {
        this.reset();
        for (const p of pools().all) {
          const { runtime, memoryMiB, custom } = p.kind;
          const labels = { runtime, memory_mib: String(memoryMiB) };
          this.inc(custom === undefined ? labels : { ...labels, tenant: custom.tenant, pool: custom.name }, read(p));
        }
      },
    });
  pool('swiftlet_pool_ready', 'Warm sandboxes ready to be taken', (p) => p.ready);
  pool('swiftlet_pool_size', 'Warm sandboxes that the pool is to hold', (p) => p.target);
  pool('swiftlet_pool_booting', 'Sandboxes that boot now', (p) => p.booting);
  const counted: { network?: ReturnType<typeof network> } = {};
  measureNetwork(registers, () => counted.network);
  measureProxies(registers, () => proxies?.() ?? []);
  const starts = new Counter({
    name: 'swiftlet_cold_starts_total',
    help: 'Cold starts by runtime and outcome: ok, withdrawn (nobody waited for it any more, and it had not begun), or an error code',
    labelNames: ['runtime', 'outcome'],
    registers,
  });
  const note = (runtime: RuntimeName, outcome: string) => starts.inc({ runtime, outcome });
  return {
    counted(runtime, start) {
      start.then(
        () => note(runtime, 'ok'),
        (error: unknown) => note(runtime, outcomeOf(error)),
      );
      return start;
    },
    text() {
      // Once for all that is told of it: the kernel is asked.
      counted.network = network();
      return registry.metrics();
    },
  };
}

const outcomeOf = (error: unknown): string =>
  error instanceof Withdrawn ? 'withdrawn' : error instanceof SwiftletError ? error.code : 'Internal';

function measureNetwork(registers: Registry[], network: Measured['network']): void {
  const count = (name: string, help: string, read: (counts: NetworkCounts) => number) =>
    new Counter({
      name,
      help,
      labelNames: ['tenant', 'function'],
      registers,
      collect() {
        this.reset();
        for (const [key, counts] of network() ?? []) {
          const [tenant = '', name = ''] = key.split('/');
          this.inc({ tenant, function: name }, read(counts));
        }
      },
    });
  count('swiftlet_network_sent_bytes_total', 'Bytes that functions sent', (counts) => counts.sentBytes);
  count('swiftlet_network_received_bytes_total', 'Bytes that functions were sent', (counts) => counts.receivedBytes);
  count('swiftlet_network_connections_total', 'Connections that functions opened', (counts) => counts.connections);
  count('swiftlet_network_refused_total', 'Packets of functions that were refused', (counts) => counts.refused);
}

function measureProxies(registers: Registry[], proxies: () => readonly ProxyReading[]): void {
  const gauge = (name: string, help: string, read: (proxy: ProxyReading) => boolean) =>
    new Gauge({
      name,
      help,
      labelNames: ['tenant', 'network', 'proxy'],
      registers,
      collect() {
        this.reset();
        for (const reading of proxies()) {
          const { tenant, network, proxy } = reading;
          this.set({ tenant, network, proxy }, read(reading) ? 1 : 0);
        }
      },
    });
  gauge('swiftlet_private_network_proxy_up', 'Whether a proxy of a private network answers', (proxy) => proxy.isUp);
  gauge('swiftlet_private_network_proxy_active', 'Whether new connections to its network go through it', (proxy) => proxy.isActive);
}
