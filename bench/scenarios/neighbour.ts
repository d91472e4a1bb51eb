import { setTimeout as pause } from 'node:timers/promises';
import { type Attack, attacks } from '../attacks.ts';
import { packModule } from '../bench-functions.ts';
import { type Bystander, openBystander } from '../bystander.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';

const poolSize = 8;
/** An attack is made again so long after it was over. */
const againAfterMs = 1_000;
/** What a function may wait for its neighbours in any case: docs/decisions/0027. */
const floorMs = 10;

/** What another function's callers notice of attacks. */
export const neighbour: Scenario = {
  name: 'neighbour',
  title: 'another function, asked while each attack is made again and again',
  byDefault: true,
  async run({ quick, startPlatform, signal, progress }) {
    const forMs = quick ? 2_000 : 10_000;
    await using platform = await startPlatform({ poolSize });
    using bystander = await openBystander(platform);
    await pause(forMs / 2, undefined, { signal });
    const calm: number[] = [];
    const during = new Map<string, readonly number[]>();
    const wrong: string[] = [];
    for (const attack of attacks) {
      progress(attack.what);
      calm.push(...(await calmAnswers(bystander, forMs / 2, signal)));
      const answers = await attacked(platform, bystander, attack, forMs, signal);
      during.set(attack.what, answers.tookMs);
      wrong.push(...answers.wrong);
    }
    const usual = summarise(calm);
    const allowedMs = Math.max(2 * usual.p99, usual.p99 + floorMs);
    const figures = [...during].map(([what, tookMs]): Figure => {
      const { p99, count } = summarise(tookMs);
      return { what, value: p99, unit: 'ms', samples: count, baseline: { name: 'allowed', value: allowedMs }, target: { atMost: 1 } };
    });
    return {
      figures: [
        ...figures,
        {
          what: 'wrong answers',
          value: wrong.length,
          unit: 'count',
          samples: figures.reduce((sum, { samples }) => sum + samples, 0),
          target: { atMost: 0 },
        },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [
        `figures are p99; calm: p50 ${usual.p50.toFixed(2)} ms, p99 ${usual.p99.toFixed(2)} ms over ${usual.count} answers`,
        `allowed: the larger of twice the calm p99 and ${floorMs} ms more`,
        ...wrong.slice(0, 3),
      ],
    };
  },
};

async function calmAnswers(bystander: Bystander, forMs: number, signal: AbortSignal): Promise<readonly number[]> {
  // The last attack has a moment to be over.
  await pause(forMs / 2, undefined, { signal });
  await bystander.take();
  await pause(forMs, undefined, { signal });
  const { tookMs, wrong } = await bystander.take();
  if (wrong.length > 0) throw new Error(`the bystander got a wrong answer although nothing was done to it: ${wrong[0]}`);
  return tookMs;
}

async function attacked(
  { api, gatewayUrl }: BenchPlatform,
  bystander: Bystander,
  { source, config, once }: Attack,
  forMs: number,
  signal: AbortSignal,
): Promise<{ readonly tookMs: readonly number[]; readonly wrong: readonly string[] }> {
  await api.deploy('attacks', await packModule(source), config);
  await bystander.take();
  for (const until = performance.now() + forMs; performance.now() < until; ) {
    await once(`${gatewayUrl}/attacks/`);
    await pause(againAfterMs, undefined, { signal });
  }
  const answers = await bystander.take();
  await api.remove('attacks');
  return answers;
}
