import { setTimeout as sleep } from 'node:timers/promises';
import { bareStarts } from '../baselines.ts';
import { packSlowHello } from '../bench-functions.ts';
import { bareNote } from '../cold-figures.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import { poolIsFull } from '../pool.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const atOnce = 100;
const handlerMs = 100;
const bareSamples = 10;
const afterRemovalMs = 2_000;
/** The last answer comes within the handler's time and so many bare starts, by the pool. */
const pools = [
  { poolSize: 20, atMost: 40 },
  { poolSize: 100, atMost: 15 },
] as const;

/** A function that nobody has called gets a hundred requests in the same moment, each of which takes an instance. */
export const herd: Scenario = {
  name: 'herd',
  title: '0 → 100 requests at once on one function (100 ms each, concurrency 1)',
  byDefault: true,
  async run(context) {
    const rounds = context.quick ? 1 : 5;
    const bare = await bareStarts(bareSamples);
    const measured = [];
    for (const { poolSize, atMost } of pools) measured.push(await measure(context, poolSize, atMost, rounds, median(bare)));
    const { isolation } = measured.at(-1) ?? {};
    if (isolation === undefined) throw new Error('no pool was measured');
    return {
      figures: measured.flatMap(({ figures }) => figures),
      isolation,
      poolSize: 100,
      notes: [bareNote(bare), ...measured.flatMap(({ errors }) => errors.slice(0, 2))],
    };
  },
};

async function measure(
  { startPlatform, signal, progress }: BenchContext,
  poolSize: number,
  atMost: number,
  rounds: number,
  bareMs: number,
) {
  await using platform = await startPlatform({ poolSize, maxSandboxes: 4 * atOnce });
  const bundle = await packSlowHello(handlerMs);
  const slowest: number[] = [];
  const errors: string[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`pool of ${poolSize}, round ${round + 1} of ${rounds}`);
    await platform.api.deploy('herd', bundle);
    await poolIsFull(platform, signal);
    const answers = await Promise.all(Array.from({ length: atOnce }, () => answerOf(platform)));
    slowest.push(Math.max(...answers.map(({ tookMs }) => tookMs)));
    errors.push(...answers.flatMap(({ error }) => error ?? []));
    await platform.api.remove('herd');
    await sleep(afterRemovalMs, undefined, { signal });
  }
  const what = `pool of ${poolSize}`;
  const samples = rounds * atOnce;
  const figures: Figure[] = [
    {
      what: `last answer beyond ${handlerMs} ms, ${what}`,
      value: median(slowest) - handlerMs,
      unit: 'ms',
      samples: rounds,
      baseline: { name: 'bare Node.js start', value: bareMs },
      target: { atMost },
    },
    { what: `errors, ${what}`, value: errors.length, unit: 'count', samples, target: { atMost: 0 } },
  ];
  return { figures, errors, isolation: platform.isolation };
}

async function answerOf({ gatewayUrl }: BenchPlatform): Promise<{ tookMs: number; error: string | undefined }> {
  try {
    const { status, body, tookMs } = await timedRequest(`${gatewayUrl}/herd`);
    return { tookMs, error: status === 200 ? undefined : `${status}: ${body}` };
  } catch (error) {
    return { tookMs: 0, error: String(error) };
  }
}
