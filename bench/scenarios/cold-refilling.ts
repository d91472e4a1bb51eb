import { setTimeout as sleep } from 'node:timers/promises';
import { bareStarts } from '../baselines.ts';
import { bareNote, coldFigures } from '../cold-figures.ts';
import { type ColdStart, coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { timingNote } from '../server-timing.ts';

const poolSize = 50;
const barePerRound = 3;
const afterRemovalMs = 500;

/** As many starts as the pool holds, back to back: from the second on each one meets a pool that refills. */
export const coldRefilling: Scenario = {
  name: 'cold-refilling',
  title: 'the same while the pool refills',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const rounds = quick ? 2 : 20;
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: 4 * poolSize });
    const samples: ColdStart[] = [];
    const bare: number[] = [];
    const connection = await openConnection(platform);
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      const functions = await deployUnique(platform, 1 + round * poolSize, poolSize);
      await poolIsFull(platform, signal);
      bare.push(...(await bareStarts(barePerRound)));
      for (const one of functions) samples.push(await coldRequest(platform, one, connection));
      await removeAll(platform, functions);
      await sleep(afterRemovalMs, undefined, { signal });
    }
    connection.destroy();
    const notes = [bareNote(bare), timingNote(samples), `rounds of ${poolSize} starts back to back, each round from a full pool`];
    return { figures: coldFigures(samples, bare, { p50: 0.2, p99: 0.8 }), isolation: platform.isolation, poolSize, notes };
  },
};
