import { setTimeout as sleep } from 'node:timers/promises';
import { bareStart, bareStarts } from '../baselines.ts';
import { bareNote, coldFigures } from '../cold-figures.ts';
import { type ColdStart, coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { timingNote } from '../server-timing.ts';

const poolSize = 8;
/** Functions that exist at the same time; their instances stay until all of them were started. */
const batch = 50;
const startsPerBaseline = 10;
const afterRemovalMs = 500;

/** One start at a time, each from a pool that was seen to be full. */
export const coldFullPool: Scenario = {
  name: 'cold-full-pool',
  title: 'cold start from a full pool',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const starts = quick ? 100 : 1_000;
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: poolSize + 2 * batch });
    const samples: ColdStart[] = [];
    const bare = await bareStarts(5);
    const connection = await openConnection(platform);
    for (let first = 1; first <= starts; first += batch) {
      progress(`${first - 1} of ${starts} starts`);
      const functions = await deployUnique(platform, first, batch);
      for (const one of functions) {
        await poolIsFull(platform, signal);
        samples.push(await coldRequest(platform, one, connection));
        if (one.number % startsPerBaseline === 0) {
          await poolIsFull(platform, signal);
          bare.push(await bareStart());
        }
      }
      await removeAll(platform, functions);
      await sleep(afterRemovalMs, undefined, { signal });
    }
    return {
      figures: coldFigures(samples, bare, { p50: 0.12, p99: 0.4 }),
      isolation: platform.isolation,
      poolSize,
      notes: [bareNote(bare), timingNote(samples)],
    };
  },
};
