/** What an attack costs the platform's own processes in memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { rolesBelow } from '../../bench/holdings.ts';
import { residentBytesOf } from '../../bench/processes.ts';
import type { E2e } from './functions.ts';

const sampleEveryMs = 50;
const bytesPerMiB = 2 ** 20;

/**
 * Runs something, and tells by how much each role's resident memory was above where it began at most.
 * @returns the worst role's growth, with its name
 */
export async function memoryGrowth<T>(
  { platform }: E2e,
  hostile: () => Promise<T>,
): Promise<{ readonly mebibytes: number; readonly role: string; readonly result: T }> {
  const roles = rolesBelow(platform.pid).map((role) => ({ ...role, before: residentBytesOf(role.pid), peak: 0 }));
  const sample = () => {
    for (const role of roles) role.peak = Math.max(role.peak, residentBytesOf(role.pid));
  };
  const over = new AbortController();
  const sampling = (async () => {
    while (!over.signal.aborted) {
      sample();
      await sleep(sampleEveryMs);
    }
  })();
  const result = await hostile().finally(() => over.abort());
  await sampling;
  sample();
  const worst = roles.toSorted((a, b) => b.peak - b.before - (a.peak - a.before))[0];
  return { mebibytes: Math.round(((worst?.peak ?? 0) - (worst?.before ?? 0)) / bytesPerMiB), role: worst?.title ?? '', result };
}
