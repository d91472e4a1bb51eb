/** Requests at a steady rate, whether or not the ones before are answered: what many independent callers send. */
import { Agent } from 'node:http';
import { timedRequest } from './timed-request.ts';

const everyMs = 10;

export interface FailedAnswer {
  readonly status: number;
  /** As the answer said; empty when there was none. */
  readonly version: string;
  readonly body: string;
}

export interface SteadyAnswers {
  /** Milliseconds of each request that was answered with 2xx, in the order of their ends. */
  readonly tookMs: readonly number[];
  /** Answers that waited for an instance. */
  readonly cold: number;
  readonly byVersion: ReadonlyMap<string, number>;
  readonly failures: readonly FailedAnswer[];
}

export interface SteadyLoad {
  /** Requests that have been answered. */
  seen(): number;
  /** Sends no more. @returns everything, once all that was sent is answered */
  stop(): Promise<SteadyAnswers>;
}

/** Sends GET requests over connections that are kept, until it is stopped. */
export function sendLoad(url: string, perSecond: number): SteadyLoad {
  const agent = new Agent({ keepAlive: true });
  const tookMs: number[] = [];
  const byVersion = new Map<string, number>();
  const failures: FailedAnswer[] = [];
  const underWay = new Set<Promise<void>>();
  let cold = 0;
  const send = async () => {
    try {
      const { status, headers, body, tookMs: took } = await timedRequest(url, { agent });
      const version = String(headers['x-swiftlet-version'] ?? '');
      byVersion.set(version, (byVersion.get(version) ?? 0) + 1);
      if (headers['x-swiftlet-start'] === 'cold') cold += 1;
      if (status >= 200 && status < 300) tookMs.push(took);
      else failures.push({ status, version, body });
    } catch (error) {
      failures.push({ status: 0, version: '', body: String(error) });
    }
  };
  const startedAt = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (const due = ((performance.now() - startedAt) * perSecond) / 1000; sent < due; sent++) {
      const request = send().finally(() => underWay.delete(request));
      underWay.add(request);
    }
  }, everyMs);
  return {
    seen: () => tookMs.length + failures.length,
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
      return { tookMs, cold, byVersion, failures };
    },
  };
}
