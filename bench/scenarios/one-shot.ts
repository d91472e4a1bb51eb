import { setTimeout as sleep } from 'node:timers/promises';
import { packHello } from '../bench-functions.ts';
import { coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { median, summarise } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 8;
const batch = 25;
const afterRemovalMs = 500;

/** Requests that each get a fresh sandbox, beside first requests to functions that keep theirs; each from a pool that was seen to be full. */
export const oneShot: Scenario = {
  name: 'one-shot',
  title: 'one-shot, each request a fresh sandbox',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const starts = quick ? 50 : 300;
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: 2 * poolSize + 2 * batch });
    await platform.api.deploy('once', await packHello(), { process: 'one-shot' });
    const connection = await openConnection(platform);
    const [once, pooled]: [number[], number[]] = [[], []];
    for (let first = 1; first <= starts; first += batch) {
      progress(`${first - 1} of ${starts} pairs`);
      const functions = await deployUnique(platform, first, batch);
      for (const one of functions) {
        await poolIsFull(platform, signal);
        pooled.push((await coldRequest(platform, one, connection)).tookMs);
        await poolIsFull(platform, signal);
        const { status, headers, tookMs } = await timedRequest(`${platform.gatewayUrl}/once`, { agent: connection });
        if (status !== 200 || headers['x-swiftlet-start'] !== 'cold') throw new Error(`a one-shot request was answered ${status}`);
        once.push(tookMs);
      }
      await removeAll(platform, functions);
      await sleep(afterRemovalMs, undefined, { signal });
    }
    connection.destroy();
    const { p50, p99, count } = summarise(once);
    const baseline = { name: 'cold start from the pool', value: median(pooled) };
    return {
      figures: [
        { what: 'p50', value: p50, unit: 'ms', samples: count, baseline, target: { atMost: 1.2 } },
        { what: 'p99', value: p99, unit: 'ms', samples: count },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};
