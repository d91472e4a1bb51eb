/** A stretch of recorded traffic, as single requests: what a simulator and a platform are both given. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Arrivals } from '../src/simulate/arrivals.ts';
import type { TextFile } from '../src/simulate/azure-trace.ts';
import { randomOf } from '../src/simulate/random.ts';
import { readTraffic } from '../src/simulate/read-traffic.ts';
import type { RequestTimes, SimulatedFunction } from '../src/simulate/traffic.ts';

export interface SampledFunction extends SimulatedFunction {
  readonly requests: RequestTimes;
}

export interface TraceSample {
  readonly functions: readonly SampledFunction[];
  readonly lengthMs: number;
}

const minuteMs = 60_000;
/** A function has 30 s for a request unless it says otherwise. */
const longestMs = 20_000;
const assumed = { durations: [{ share: 1, ms: 100 }], memoryMiB: 128 };
const seed = '1';

/**
 * @param folder with `invocations.csv` and `durations.csv`, in the format of the Azure Functions trace of 2019
 * @param minutes from its beginning
 * @param nth of so many functions one is taken
 */
export function sampleTrace(folder: string, minutes: number, nth: number): TraceSample {
  const durations = join(folder, 'durations.csv');
  const files = {
    traffic: fileAt(join(folder, 'invocations.csv')),
    durations: existsSync(durations) ? fileAt(durations) : undefined,
    memory: undefined,
  };
  const { functions } = readTraffic(files, assumed);
  return {
    functions: functions
      .filter((_, at) => at % nth === 0)
      .map((one) => ({ ...one, memoryMiB: assumed.memoryMiB, requests: timesOf(one, minutes) })),
    lengthMs: minutes * minuteMs,
  };
}

function timesOf(of: SimulatedFunction, minutes: number): RequestTimes {
  const all: { atMs: number; durationMs: number }[] = [];
  const arrivals = new Arrivals(of, 'random', randomOf(`${seed}/${of.name}`));
  while (arrivals.atMs < minutes * minuteMs) {
    all.push({ atMs: arrivals.atMs, durationMs: Math.min(longestMs, arrivals.durationMs) });
    arrivals.next();
  }
  return { kind: 'times', all };
}

const fileAt = (path: string): TextFile => ({ name: path, text: readFileSync(path, 'utf8') });
