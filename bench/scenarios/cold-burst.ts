import { setTimeout as sleep } from 'node:timers/promises';
import { bareStarts } from '../baselines.ts';
import { bareNote } from '../cold-figures.ts';
import { type ColdFunction, coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import type { BenchPlatform } from '../platform.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

const functionsAtOnce = 100;
const barePerRound = 10;
const afterRemovalMs = 2_000;

/** A hundred different functions get their first request in the same moment, each over a connection that is opened for it. */
export const coldBurst: Scenario = {
  name: 'cold-burst',
  title: '100 different functions at once',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const rounds = quick ? 1 : 5;
    await using platform = await context.startPlatform({ poolSize: functionsAtOnce, maxSandboxes: 3 * functionsAtOnce });
    const bursts: Burst[] = [];
    const bare: number[] = [];
    (await openConnection(platform)).destroy();
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      const functions = await deployUnique(platform, 1 + round * functionsAtOnce, functionsAtOnce);
      await poolIsFull(platform, signal);
      bare.push(...(await bareStarts(barePerRound)));
      bursts.push(await burst(platform, functions));
      await removeAll(platform, functions);
      await sleep(afterRemovalMs, undefined, { signal });
    }
    const errors = bursts.flatMap((one) => one.errors);
    const samples = rounds * functionsAtOnce;
    const baseline = { name: 'bare Node.js start', value: median(bare) };
    const all = median(bursts.map(({ tookMs }) => tookMs));
    return {
      figures: [
        { what: 'all answered', value: all, unit: 'ms', samples: rounds, baseline, target: { atMost: 15 } },
        { what: 'errors', value: errors.length, unit: 'count', samples, target: { atMost: 0 } },
      ],
      isolation: platform.isolation,
      poolSize: functionsAtOnce,
      notes: [
        bareNote(bare),
        `the slowest of ${rounds} bursts took ${Math.max(...bursts.map(({ tookMs }) => tookMs)).toFixed(0)} ms`,
        ...errors.slice(0, 3),
      ],
    };
  },
};

interface Burst {
  readonly tookMs: number;
  readonly errors: readonly string[];
}

async function burst(platform: BenchPlatform, functions: readonly ColdFunction[]): Promise<Burst> {
  const startedAt = performance.now();
  const answers = await Promise.allSettled(functions.map((one) => coldRequest(platform, one)));
  const tookMs = performance.now() - startedAt;
  return { tookMs, errors: answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => String(reason)) };
}
