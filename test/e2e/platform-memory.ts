/** What an attack costs the platform's own processes in memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { rolesBelow } from '../../bench/holdings.ts';
import { residentBytesOf } from '../../bench/processes.ts';
import type { E2e } from './functions.ts';

const sampleEveryMs = 50;
const bytesPerMiB = 2 ** 20;
/** Garbage that waits a moment longer on a busy machine is no growth: the highest tenth of what was seen does not count. */
const counted = 0.9;

/** Resident bytes of each role. */
export type Memory = ReadonlyMap<string, number>;

export interface Growth<T> {
  /** Of the role that grew most. */
  readonly mebibytes: number;
  readonly role: string;
  readonly result: T;
  /** The most that each role had for longer than a moment. */
  readonly peaks: Memory;
}

/**
 * Runs something, and tells by how much a role's resident memory was at most above where it was before.
 * @param warmed the peaks of a smaller run, to see whether more costs more
 */
export async function memoryGrowth<T>({ platform }: E2e, hostile: () => Promise<T>, warmed?: Memory): Promise<Growth<T>> {
  const roles = rolesBelow(platform.pid);
  const now = (): Memory => new Map(roles.map(({ title, pid }) => [title, residentBytesOf(pid)]));
  const from = now();
  const seen = new Map<string, number[]>(roles.map(({ title }) => [title, []]));
  const sample = () => {
    for (const [title, bytes] of now()) seen.get(title)?.push(bytes);
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
  const peaks: Memory = new Map([...seen].map(([title, samples]) => [title, highOf(samples)]));
  const grown = [...peaks].map(([role, bytes]) => ({ role, bytes: bytes - Math.max(from.get(role) ?? 0, warmed?.get(role) ?? 0) }));
  const [worst] = grown.toSorted((a, b) => b.bytes - a.bytes);
  return { mebibytes: Math.round((worst?.bytes ?? 0) / bytesPerMiB), role: worst?.role ?? '', result, peaks };
}

function highOf(samples: number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.ceil((samples.length - 1) * counted)] ?? 0;
}
