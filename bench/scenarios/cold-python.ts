import { setTimeout as sleep } from 'node:timers/promises';
import { bareStarts } from '../baselines.ts';
import { pythonLanguage } from '../benched-language.ts';
import { bareNote, coldFigures } from '../cold-figures.ts';
import { type ColdStart, coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import { poolsAreFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { timingNote } from '../server-timing.ts';

const poolSize = 8;
const batch = 25;
/** A sandbox that has booted goes on to import what functions need. */
const settleMs = 300;
const afterRemovalMs = 500;

/** As `cold-full-pool`, in Python: one start at a time, each from a pool that was seen to be full. */
export const coldPython: Scenario = {
  name: 'cold-python',
  title: 'cold start in Python from a full pool',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const { config, pack, bare, bareName } = pythonLanguage;
    const starts = quick ? 50 : 300;
    // The pool for Node.js is there, too.
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: 2 * poolSize + 2 * batch });
    const samples: ColdStart[] = [];
    const bareMs = await bareStarts(5, bare);
    const connection = await openConnection(platform);
    for (let first = 1; first <= starts; first += batch) {
      progress(`${first - 1} of ${starts} starts`);
      const functions = await deployUnique(platform, first, batch, config, pack);
      for (const one of functions) {
        await poolsAreFull(platform, 2, signal, settleMs);
        bareMs.push(await bare());
        samples.push(await coldRequest(platform, one, connection));
      }
      await removeAll(platform, functions);
      await sleep(afterRemovalMs, undefined, { signal });
    }
    connection.destroy();
    return {
      figures: coldFigures(samples, bareMs, { p50: 0.4 }, bareName),
      isolation: platform.isolation,
      poolSize,
      notes: [bareNote(bareMs, bareName), timingNote(samples)],
    };
  },
};
