import { setTimeout as pause } from 'node:timers/promises';
import { type BystanderAnswers, openBystander } from '../bystander.ts';
import { coldRequest, deployUnique, removeAll } from '../cold-starts.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';

const takes = 100;
const slackMs = 10;

/** As many different functions as the pool has sandboxes get their first request in the same moment; a warm one is called all the while, and while the pool refills. */
export const refillBeside: Scenario = {
  name: 'refill-beside',
  title: `a warm function while a pool refills, of which ${takes} sandboxes were taken at once`,
  byDefault: true,
  async run({ quick, startPlatform, signal, progress }) {
    const rounds = quick ? 1 : 5;
    const calmMs = quick ? 3_000 : 20_000;
    await using platform = await startPlatform({ poolSize: takes, maxSandboxes: 3 * takes });
    using bystander = await openBystander(platform);
    const seen: Record<'calm' | 'burst' | 'refill', BystanderAnswers[]> = { calm: [], burst: [], refill: [] };
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      const functions = await deployUnique(platform, 1 + round * takes, takes);
      await poolIsFull(platform, signal);
      await bystander.take();
      await pause(calmMs / rounds, undefined, { signal });
      seen.calm.push(await bystander.take());
      await Promise.all(functions.map((one) => coldRequest(platform, one)));
      seen.burst.push(await bystander.take());
      await poolIsFull(platform, signal);
      seen.refill.push(await bystander.take());
      await removeAll(platform, functions);
    }
    const timesOf = (what: keyof typeof seen) => summarise(seen[what].flatMap(({ tookMs }) => tookMs));
    const [calm, burst, refill] = [timesOf('calm'), timesOf('burst'), timesOf('refill')];
    const wrong = Object.values(seen)
      .flat()
      .flatMap((answers) => answers.wrong);
    const baseline = { name: `the larger of 2 × calm and calm + ${slackMs} ms`, value: Math.max(2 * calm.p99, calm.p99 + slackMs) };
    return {
      figures: [
        { what: 'p99 while the pool refills', value: refill.p99, unit: 'ms', samples: refill.count, baseline, target: { atMost: 1 } },
        { what: 'p99 while the starts are answered', value: burst.p99, unit: 'ms', samples: burst.count },
        { what: 'wrong answers', value: wrong.length, unit: 'count', samples: refill.count, target: { atMost: 0 } },
      ],
      isolation: platform.isolation,
      poolSize: takes,
      notes: wrong.slice(0, 3),
    };
  },
};
