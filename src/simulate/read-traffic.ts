/** Traffic from a file: requests of each minute by function, or each request with its second and its duration. */
import { type Assumed, isAzureTrace, readAzureTrace, type TextFile } from './azure-trace.ts';
import { type Csv, numberAt, parseCsv, refused } from './csv.ts';
import type { RequestTimes, SimulatedFunction, Traffic } from './traffic.ts';

const secondMs = 1_000;
/** The head of a file that names each request; the function may be left out. */
const requestTitles = ['seconds', 'durationMs', 'function'] as const;
const onlyFunction = 'function';

export interface TrafficFiles {
  readonly traffic: TextFile;
  readonly durations: TextFile | undefined;
  readonly memory: TextFile | undefined;
}

/** @throws SwiftletError BadRequest with the file, the line and the remedy */
export function readTraffic({ traffic, durations, memory }: TrafficFiles, assumed: Assumed): Traffic {
  const csv = parseCsv(traffic.text, traffic.name);
  const read = isAzureTrace(csv) ? readAzureTrace(csv, { durations, memory }, assumed) : readRequests(csv, traffic.name, assumed);
  if (read.functions.length === 0) throw refused(traffic.name, 'there is no traffic in it');
  return read;
}

function readRequests(csv: Csv, name: string, { memoryMiB }: Assumed): Traffic {
  const isKnown = csv.head.length >= 2 && csv.head.every((title, at) => title === requestTitles[at]);
  if (!isKnown)
    throw refused(
      `${name}:1`,
      'the first line is neither "HashOwner,HashApp,HashFunction,Trigger,1,2,…" (requests of each minute) nor "seconds,durationMs,function" (each request; the function may be left out)',
    );
  const byName = new Map<string, { atMs: number; durationMs: number }[]>();
  for (const row of csv.rows()) {
    const request = { atMs: numberAt(row, 0, 'seconds') * secondMs, durationMs: numberAt(row, 1, 'durationMs') };
    const key = row.values[2] ?? onlyFunction;
    const known = byName.get(key);
    if (known === undefined) byName.set(key, [request]);
    else known.push(request);
  }
  const functions = [...byName].map(([function_, all]) => functionOf(function_, all, memoryMiB));
  const lastMs = functions.reduce((last, { requests }) => Math.max(last, requests.all.at(-1)?.atMs ?? 0), 0);
  return { functions, lengthMs: (Math.floor(lastMs / secondMs) + 1) * secondMs };
}

function functionOf(
  name: string,
  all: RequestTimes['all'][number][],
  memoryMiB: number,
): SimulatedFunction & { readonly requests: RequestTimes } {
  const requests: RequestTimes = { kind: 'times', all: all.toSorted((one, other) => one.atMs - other.atMs) };
  return { name, requests, durations: [], memoryMiB };
}
