import { setTimeout as sleep } from 'node:timers/promises';
import { bareStart } from '../baselines.ts';
import { bareNote, coldFigures } from '../cold-figures.ts';
import { type ColdStart, coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import type { Scenario } from '../scenario.ts';
import { timingNote } from '../server-timing.ts';

const poolSize = 0;
const batch = 25;
const betweenStartsMs = 60;
const afterRemovalMs = 500;

/** Nothing is warm: the request waits for a sandbox to boot. A bare start goes before each, as they take about as long. */
export const coldEmptyPool: Scenario = {
  name: 'cold-empty-pool',
  title: 'cold start with an empty pool',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const starts = quick ? 25 : 200;
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: 4 * batch });
    const samples: ColdStart[] = [];
    const bare: number[] = [];
    const connection = await openConnection(platform);
    for (let first = 1; first <= starts; first += batch) {
      progress(`${first - 1} of ${starts} starts`);
      const functions = await deployUnique(platform, first, batch);
      for (const one of functions) {
        bare.push(await bareStart());
        await sleep(betweenStartsMs, undefined, { signal });
        samples.push(await coldRequest(platform, one, connection));
        await sleep(betweenStartsMs, undefined, { signal });
      }
      await removeAll(platform, functions);
      await sleep(afterRemovalMs, undefined, { signal });
    }
    connection.destroy();
    return {
      figures: coldFigures(samples, bare, { p50: 1.8 }),
      isolation: platform.isolation,
      poolSize,
      notes: [bareNote(bare), timingNote(samples)],
    };
  },
};
