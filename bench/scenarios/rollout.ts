import { setTimeout as pause } from 'node:timers/promises';
import { packModule } from '../bench-functions.ts';
import type { BenchPlatform } from '../platform.ts';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';
import { sendLoad, type SteadyAnswers } from '../steady-load.ts';

const poolSize = 8;
const perSecond = 500;
const limitMs = 120_000;
/** Takes a moment, as functions do, so that several instances are at work. */
const source = (word: string): string =>
  `export const handler = () => new Promise((resolve) => setTimeout(resolve, 5, { message: '${word}' }));\n`;

/** What callers see of a new version that takes over step by step. */
export const rollout: Scenario = {
  name: 'rollout',
  title: 'a new version takes over by steps (5 %, 25 %, 100 %) under 500 requests/s',
  byDefault: true,
  async run({ quick, startPlatform, signal, progress }) {
    const forMs = quick ? 3_000 : 15_000;
    await using platform = await startPlatform({ poolSize });
    const config = { concurrency: 10 };
    await platform.api.deploy('rolled', await packModule(source('before')), config);
    progress('warming up');
    await during(platform, () => pause(forMs, undefined, { signal }));
    progress('calm');
    const calm = await during(platform, () => pause(2 * forMs, undefined, { signal }));
    progress('rolling out');
    const steps = [5, 25].map((weight) => ({ weight, forMs }));
    const rolled = await during(platform, async () => {
      await platform.api.deploy('rolled', await packModule(source('after')), { ...config, rollout: { strategy: 'canary', steps } });
      await completed(platform, signal);
    });
    const [before, after] = [summarise(calm.tookMs), summarise(rolled.tookMs)];
    const newer = rolled.byVersion.get('2') ?? 0;
    return {
      figures: [
        {
          what: 'p99',
          value: after.p99,
          unit: 'ms',
          samples: after.count,
          baseline: { name: 'calm', value: before.p99 },
          target: { atMost: 2 },
        },
        { what: 'errors', value: rolled.failures.length, unit: 'count', samples: after.count, target: { atMost: 0 } },
        { what: 'cold starts seen', value: rolled.cold, unit: 'count', samples: after.count, target: { atMost: 0 } },
        { what: 'answered by the new version', value: newer, unit: 'count', samples: after.count, target: { atLeast: 1 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};

async function during(platform: BenchPlatform, work: () => Promise<unknown>): Promise<SteadyAnswers> {
  const load = sendLoad(`${platform.gatewayUrl}/rolled/`, perSecond);
  // What goes wrong in between is told once nothing is sent any more.
  const [outcome] = await Promise.allSettled([work()]);
  const answers = await load.stop();
  if (outcome.status === 'rejected') throw outcome.reason;
  return answers;
}

async function completed({ api }: BenchPlatform, signal: AbortSignal): Promise<void> {
  for (const until = performance.now() + limitMs; ; ) {
    const { state, reason } = await api.rollout('rolled');
    if (state === 'completed') return;
    if (state === 'rolled-back' || performance.now() > until) throw new Error(`the rollout is ${state}: ${reason ?? 'it takes too long'}`);
    await pause(100, undefined, { signal });
  }
}
