/** Sends recorded requests to a platform at their times, and counts what they and their instances come to. */
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { BenchPlatform } from './platform.ts';
import { parseServerTiming } from './server-timing.ts';
import { timedRequest } from './timed-request.ts';
import type { TraceSample } from './trace-sample.ts';

const everyMs = 5;
const lookEveryMs = 500;

export interface Replayed {
  readonly requests: number;
  readonly thawed: number;
  /** Milliseconds that each request took beyond its handler which waited for an instance that was being started. */
  readonly coldMs: readonly number[];
  readonly usedMs: number;
  /** Milliseconds of instances that were there. */
  readonly instanceMs: number;
  readonly failures: readonly string[];
}

/** @param urlOf where the requests of a function go, by its index */
export async function replay(
  { functions, lengthMs }: TraceSample,
  platform: BenchPlatform,
  urlOf: (at: number) => string,
  { signal, progress }: { readonly signal: AbortSignal; readonly progress: (text: string) => void },
): Promise<Replayed> {
  const due = functions.flatMap(({ requests }, of) => requests.all.map((one) => ({ ...one, of }))).sort((a, b) => a.atMs - b.atMs);
  const counts = { thawed: 0, usedMs: 0, instanceMs: 0, coldMs: [] as number[], failures: [] as string[] };
  const agent = new Agent({ keepAlive: true });
  const send = async (url: string, durationMs: number) => {
    try {
      const { status, headers, body, tookMs } = await timedRequest(url, { agent, headers: { 'x-duration-ms': durationMs.toFixed(3) } });
      if (status !== 200) throw new Error(`${status}: ${body}`);
      const handlerMs = parseServerTiming(String(headers['server-timing'])).get('handler') ?? 0;
      counts.usedMs += handlerMs;
      if (headers['x-swiftlet-start'] === 'cold') counts.coldMs.push(tookMs - handlerMs);
      if (headers['x-swiftlet-start'] === 'thawed') counts.thawed += 1;
    } catch (error) {
      counts.failures.push(String(error));
    }
  };
  const underWay: Promise<void>[] = [];
  const startedAt = performance.now();
  let lookedAt = startedAt;
  let sent = 0;
  while (performance.now() - startedAt < lengthMs) {
    await pause(everyMs, undefined, { signal });
    const now = performance.now() - startedAt;
    for (let next = due[sent]; next !== undefined && next.atMs <= now; next = due[++sent])
      underWay.push(send(urlOf(next.of), next.durationMs));
    if (performance.now() - lookedAt < lookEveryMs) continue;
    const there = instancesIn(await platform.api.metrics('agent'));
    counts.instanceMs += there * (performance.now() - lookedAt);
    lookedAt = performance.now();
    progress(`${Math.round(now / 1_000)} of ${lengthMs / 1_000} s, ${there} instances`);
  }
  await Promise.all(underWay);
  agent.destroy();
  return { requests: due.length, ...counts };
}

const instancesIn = (metrics: string): number =>
  [...metrics.matchAll(/^swiftlet_instances\{[^}]*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
