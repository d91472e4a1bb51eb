import { setTimeout as pause } from 'node:timers/promises';
import { packModule } from '../bench-functions.ts';
import type { Figure } from '../figure.ts';
import type { Scenario } from '../scenario.ts';
import { sendLoad } from '../steady-load.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 12;
const instances = 10;
const perSecond = 200;
const settleMs = 3_000;
/** After so long callers must hardly see it. */
const noticedMs = 2_000;
const tolerated = 0.001;
const ways = ['hangs', 'slow', 'fails', 'crashes'] as const;

/** One of them does badly from the request on that says how. */
const source = `let how = '';
export const handler = async (event) => {
  how = event.headers['x-poison'] ?? how;
  if (how === 'crashes') process.exit(1);
  if (how === 'fails') throw new Error('sick');
  await new Promise((resolve) => setTimeout(resolve, how === 'hangs' ? 600_000 : how === 'slow' ? 1_000 : 20));
  return 'x';
};\n`;

/** What callers see when one of ten instances hangs, answers slowly, fails, or crashes. */
export const sickInstance: Scenario = {
  name: 'sick-instance',
  title: '1 of 10 instances hangs, is slow, fails or crashes, under 200 requests/s',
  byDefault: true,
  async run({ quick, startPlatform, signal, progress }) {
    const watchMs = quick ? 2_000 : 20_000;
    await using platform = await startPlatform({ poolSize });
    const figures: Figure[] = [];
    for (const way of ways) {
      progress(way);
      await platform.api.deploy(way, await packModule(source), {
        concurrency: 5,
        minimum: instances,
        maximum: 2 * instances,
        timeoutMs: 3_000,
      });
      const url = `${platform.gatewayUrl}/${way}/`;
      const warm = sendLoad(url, perSecond);
      await pause(settleMs, undefined, { signal });
      const poisoned = timedRequest(url, { headers: { 'x-poison': way } }).catch(() => undefined);
      await pause(noticedMs, undefined, { signal });
      // What is sent from here on counts: those before may wait for their time limit.
      const counted = sendLoad(url, perSecond);
      await Promise.all([warm.stop(), pause(watchMs, undefined, { signal })]);
      const { tookMs, failures } = await counted.stop();
      await poisoned;
      const requests = tookMs.length + failures.length;
      figures.push({
        what: `error rate, one ${way}`,
        value: failures.length / requests,
        unit: 'count',
        samples: requests,
        target: { atMost: tolerated },
      });
      await platform.api.remove(way);
    }
    return { figures, isolation: platform.isolation, poolSize, notes: [] };
  },
};
