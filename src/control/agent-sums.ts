/** What several agents have, added up. Pure. */
import { type VersionId, versionIdOf } from '../model/function.ts';
import type { CustomPoolStatus, NetworkCounts, ProvisionedStatus, Warmth } from '../wire/agent-calls.ts';
import type { VersionCapacity } from '../wire/scale-calls.ts';
import type { SecretUse } from '../wire/secret-calls.ts';

/** @param all of each agent */
export function addCapacities(all: readonly (readonly VersionCapacity[])[]): VersionCapacity[] {
  const sums = new Map<VersionId, VersionCapacity>();
  for (const one of all.flat()) {
    const id = versionIdOf(one);
    const { running, cpuMs, memory } = sums.get(id) ?? { running: 0, cpuMs: 0, memory: 0 };
    sums.set(id, { ...one, running: one.running + running, cpuMs: one.cpuMs + cpuMs, memory: one.memory + memory });
  }
  return [...sums.values()];
}

/** Of what failed the first that is told of. @param all of each agent */
export function addProvisioned(all: readonly (readonly ProvisionedStatus[])[]): ProvisionedStatus[] {
  const sums = new Map<VersionId, ProvisionedStatus>();
  for (const one of all.flat()) {
    const id = versionIdOf({ ...one, number: one.version });
    const known = sums.get(id);
    const sum = { ...one, ...known, requested: one.requested + (known?.requested ?? 0), ready: one.ready + (known?.ready ?? 0) };
    sums.set(id, sum);
  }
  return [...sums.values()];
}

/** @returns undefined when no agent has said anything */
export function addWarmth(all: readonly Warmth[]): Warmth | undefined {
  if (all.length === 0) return undefined;
  const failure = all.find((one) => one.failure !== undefined)?.failure;
  return { ready: all.reduce((sum, { ready }) => sum + ready, 0), ...(failure === undefined ? {} : { failure }) };
}

/** Of its memory what one sandbox was seen to take at most. @returns undefined when no agent has such a pool */
export function addCustomPools(all: readonly CustomPoolStatus[]): CustomPoolStatus | undefined {
  const [first] = all;
  if (first === undefined) return undefined;
  const sum = (read: (pool: CustomPoolStatus) => number) => all.reduce((total, pool) => total + read(pool), 0);
  return {
    target: sum(({ target }) => target),
    ready: sum(({ ready }) => ready),
    booting: sum(({ booting }) => booting),
    memoryBytes: Math.max(...all.map(({ memoryBytes }) => memoryBytes)),
    failures: [...new Set(all.flatMap(({ failures }) => failures))],
  };
}

/** @returns undefined when no agent has said anything */
export function addNetworkCounts(all: readonly NetworkCounts[]): NetworkCounts | undefined {
  const [first, ...others] = all;
  return first === undefined ? undefined : others.reduce(plusCounts, first);
}

const plusCounts = (one: NetworkCounts, other: NetworkCounts): NetworkCounts => ({
  sentBytes: one.sentBytes + other.sentBytes,
  receivedBytes: one.receivedBytes + other.receivedBytes,
  connections: one.connections + other.connections,
  refused: one.refused + other.refused,
});

/** @returns undefined when no agent has said anything */
export function addSecretUse(all: readonly SecretUse[]): SecretUse | undefined {
  if (all.length === 0) return undefined;
  const failure = all.find((one) => one.failure !== undefined)?.failure;
  const sum = (read: (use: SecretUse) => number) => all.reduce((total, use) => total + read(use), 0);
  return { current: sum(({ current }) => current), older: sum(({ older }) => older), ...(failure === undefined ? {} : { failure }) };
}
