import { setTimeout as sleep } from 'node:timers/promises';
import { bareStarts } from '../baselines.ts';
import { bareNote } from '../cold-figures.ts';
import { type ColdFunction, coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

/** How many functions at once, and how many bare starts their last answer may take. */
const sizes = [
  { functionsAtOnce: 50, atMost: 6 },
  { functionsAtOnce: 200, atMost: 22 },
] as const;
const poolSize = Math.max(...sizes.map(({ functionsAtOnce }) => functionsAtOnce));
const barePerRound = 10;
const afterRemovalMs = 2_000;

/** Many different functions get their first request in the same moment, each over a connection that is opened for it. */
export const coldBurst: Scenario = {
  name: 'cold-burst',
  title: 'different functions at once',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const rounds = quick ? 1 : 5;
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: 3 * poolSize });
    const taken = sizes.map((size) => ({ ...size, bursts: [] as Burst[] }));
    const bare: number[] = [];
    (await openConnection(platform)).destroy();
    let deployed = 0;
    for (let round = 0; round < rounds; round++) {
      for (const { functionsAtOnce, bursts } of taken) {
        progress(`round ${round + 1} of ${rounds}, ${functionsAtOnce} at once`);
        const functions = await deployUnique(platform, 1 + deployed, functionsAtOnce);
        deployed += functionsAtOnce;
        await poolIsFull(platform, signal);
        bare.push(...(await bareStarts(barePerRound)));
        bursts.push(await burst(platform, functions));
        await removeAll(platform, functions);
        await sleep(afterRemovalMs, undefined, { signal });
      }
    }
    return {
      figures: taken.flatMap((one) => figuresOf(one, median(bare))),
      isolation: platform.isolation,
      poolSize,
      notes: [
        bareNote(bare),
        ...taken.map(slowestNote),
        ...taken.flatMap(({ bursts }) => bursts.flatMap(({ errors }) => errors)).slice(0, 3),
      ],
    };
  },
};

interface Burst {
  readonly tookMs: number;
  readonly errors: readonly string[];
}

interface Taken {
  readonly functionsAtOnce: number;
  readonly atMost: number;
  readonly bursts: readonly Burst[];
}

async function burst(platform: BenchPlatform, functions: readonly ColdFunction[]): Promise<Burst> {
  const startedAt = performance.now();
  const answers = await Promise.allSettled(functions.map((one) => coldRequest(platform, one)));
  const tookMs = performance.now() - startedAt;
  return { tookMs, errors: answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => String(reason)) };
}

function figuresOf({ functionsAtOnce, atMost, bursts }: Taken, bareMs: number): Figure[] {
  const errors = bursts.flatMap((one) => one.errors).length;
  const samples = bursts.length * functionsAtOnce;
  return [
    {
      what: `${functionsAtOnce} answered`,
      value: median(bursts.map(({ tookMs }) => tookMs)),
      unit: 'ms',
      samples: bursts.length,
      baseline: { name: 'bare Node.js start', value: bareMs },
      target: { atMost },
    },
    { what: `errors of ${functionsAtOnce}`, value: errors, unit: 'count', samples, target: { atMost: 0 } },
  ];
}

const slowestNote = ({ functionsAtOnce, bursts }: Taken): string =>
  `${functionsAtOnce} at once: the slowest of ${bursts.length} bursts took ${Math.max(...bursts.map(({ tookMs }) => tookMs)).toFixed(0)} ms`;
