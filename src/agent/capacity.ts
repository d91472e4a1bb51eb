/** What this host has of each version, for the autoscaler. Pure but for what it reads of the sandboxes. */
import { type Version, versionIdOf } from '../model/function.ts';
import type { VersionCapacity } from '../wire/scale-calls.ts';
import { type Instance, isThere } from './instance.ts';

const mebibyte = 1024 * 1024;

/** @param starting versions of the starts under way, one for each */
export function capacityOf(instances: Iterable<Instance>, starting: Iterable<Version>): VersionCapacity[] {
  const byVersion = new Map<string, VersionCapacity>();
  const add = (version: Version, running: number, cpuMs: number, memory: number) => {
    const id = versionIdOf(version);
    const { tenant, function: name, number } = version;
    const known = byVersion.get(id) ?? { tenant, function: name, number, running: 0, cpuMs: 0, memory: 0 };
    byVersion.set(id, { ...known, running: known.running + running, cpuMs: known.cpuMs + cpuMs, memory: known.memory + memory });
  };
  for (const instance of instances) {
    const { version, sandbox } = instance;
    const { cpu, memory } = version.config.scale.thresholds;
    const limit = version.config.memoryMiB * mebibyte;
    if (!isThere(instance)) continue;
    add(version, 1, cpu === undefined ? 0 : sandbox.cpuMs(), memory === undefined ? 0 : sandbox.memoryBytes() / limit);
  }
  for (const version of starting) add(version, 1, 0, 0);
  return [...byVersion.values()];
}
