import { setTimeout as pause } from 'node:timers/promises';
import { packSlowHello } from '../bench-functions.ts';
import { openBystander } from '../bystander.ts';
import { makeNoise } from '../noise.ts';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';

const poolSize = 12;
const quota = 100;
const handlerMs = 5;
const slackMs = 10;
const tooManyRequests = 429;

/** A function gets ten times the rate that it may have; another one is called as before. */
export const noisyNeighbour: Scenario = {
  name: 'noisy-neighbour',
  title: `a function gets 10 × its rate of ${quota} requests/s, beside another one`,
  byDefault: true,
  async run({ quick, startPlatform, signal, progress }) {
    const forMs = quick ? 3_000 : 20_000;
    await using platform = await startPlatform({ poolSize });
    const config = { concurrency: 10, protect: { rates: [{ perSecond: quota, burst: quota }] } };
    await platform.api.deploy('noisy', await packSlowHello(handlerMs), config);
    using bystander = await openBystander(platform);
    const during = async (what: string) => {
      progress(what);
      await bystander.take();
      await pause(forMs, undefined, { signal });
      return bystander.take();
    };
    await during('warming up');
    const calm = await during('calm');
    using noise = makeNoise(`${platform.gatewayUrl}/noisy/`, 10 * quota);
    const noisy = await during('noisy');
    const { good, failed } = await noise.stop(signal);
    const [before, after] = [summarise(calm.tookMs).p99, summarise(noisy.tookMs).p99];
    return {
      figures: [
        {
          what: 'p99 of the other function',
          value: after,
          unit: 'ms',
          samples: noisy.tookMs.length,
          baseline: { name: `the larger of 2 × calm and calm + ${slackMs} ms`, value: Math.max(2 * before, before + slackMs) },
          target: { atMost: 1 },
        },
        { what: 'its wrong answers', value: noisy.wrong.length, unit: 'count', samples: noisy.tookMs.length, target: { atMost: 0 } },
        { what: 'requests of the noisy one let in', value: good / (forMs / 1_000), unit: 'requests/s', samples: good },
        {
          what: 'its refusals that are no 429',
          value: failed.filter((status) => status !== tooManyRequests).length,
          unit: 'count',
          samples: failed.length,
          target: { atMost: 0 },
        },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: noisy.wrong.slice(0, 3),
    };
  },
};
