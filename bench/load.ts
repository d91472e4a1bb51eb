/** Load in a process of its own: wrk where it is installed, since it takes the least processor time from what it measures, else autocannon. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

export interface LoadReport {
  readonly tool: 'wrk' | 'autocannon';
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx and 3xx, broken connections, timeouts. */
  readonly errors: number;
}

export interface LoadOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** GET by default; another one is sent without a body. */
  readonly method?: string;
}

const wrk = ['/usr/bin/wrk', '/usr/local/bin/wrk'].find((path) => existsSync(path));
const wrkScript = fileURLToPath(new URL('./wrk-report.lua', import.meta.url));

/** Sends requests over this many connections, each connection one after another. */
export const load = (url: string, options: LoadOptions): Promise<LoadReport> =>
  wrk === undefined ? byAutocannon(url, options) : byWrk(wrk, url, options);

const run = promisify(execFile);

async function byWrk(
  path: string,
  url: string,
  { connections, seconds, signal, headers = {}, method = 'GET' }: LoadOptions,
): Promise<LoadReport> {
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', wrkScript, ...headerArguments(headers), url];
  const env = { ...process.env, BENCH_METHOD: method };
  const { stdout } = await run(path, options, signal === undefined ? { env } : { env, signal });
  return readWrkReport(stdout);
}

/** Both tools take them alike. */
const headerArguments = (headers: Readonly<Record<string, string>>): string[] =>
  Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);

const wrkReportSchema = z.object({
  requests: z.number(),
  durationUs: z.number().positive(),
  p50Us: z.number(),
  p99Us: z.number(),
  maxUs: z.number(),
  errors: z.number(),
});

/** Reads what wrk-report.lua wrote among wrk’s own output. */
export function readWrkReport(output: string): LoadReport {
  const line = /^REPORT (.*)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk gave no report: ${output}`);
  const { requests, durationUs, p50Us, p99Us, errors } = wrkReportSchema.parse(JSON.parse(line));
  return { tool: 'wrk', requests, requestsPerSecond: requests / (durationUs / 1e6), p50Ms: p50Us / 1000, p99Ms: p99Us / 1000, errors };
}

const autocannonReportSchema = z.object({
  duration: z.number().positive(),
  errors: z.number(),
  timeouts: z.number(),
  non2xx: z.number(),
  requests: z.object({ total: z.number() }),
  latency: z.object({ p50: z.number(), p99: z.number() }),
});

async function byAutocannon(url: string, { connections, seconds, signal, headers = {}, method = 'GET' }: LoadOptions): Promise<LoadReport> {
  const script = createRequire(import.meta.url).resolve('autocannon/autocannon.js');
  const options = [
    '--json',
    '--no-progress',
    '-c',
    String(connections),
    '-d',
    String(seconds),
    '-m',
    method,
    ...headerArguments(headers),
    url,
  ];
  const { stdout } = await run(process.execPath, [script, ...options], signal === undefined ? {} : { signal });
  return readAutocannonReport(stdout, connections);
}

/** Reads autocannon’s JSON. Its latencies are whole milliseconds; over one connection the mean says more, and is taken as the median. */
export function readAutocannonReport(output: string, connections: number): LoadReport {
  const { duration, errors, timeouts, non2xx, requests, latency } = autocannonReportSchema.parse(JSON.parse(output));
  const requestsPerSecond = requests.total / duration;
  const p50Ms = connections === 1 ? 1000 / requestsPerSecond : latency.p50;
  return { tool: 'autocannon', requests: requests.total, requestsPerSecond, p50Ms, p99Ms: latency.p99, errors: errors + timeouts + non2xx };
}
