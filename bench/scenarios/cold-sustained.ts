import { availableParallelism } from 'node:os';
import { bareStart } from '../baselines.ts';
import { deployUnique, openConnection } from '../cold-starts.ts';
import { streamColdRequests } from '../cold-stream.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { median, summarise } from '../statistics.ts';

const poolSize = 50;
const maxSandboxes = 400;
const lanesPerProcessor = 4;
/** What has answered goes soon, so that there is room for the next ones. */
const config = { idleMs: 1_000 };
const perSecond = 1_000;
/** No more functions are needed than processes can be started: a start has a boot in it. */
const share = 0.9;
const answerLimitMs = 30_000;

/** Every request is the first one of its function, without a pause, for as long as it takes to empty any pool many times over. */
export const coldSustained: Scenario = {
  name: 'cold-sustained',
  title: 'cold starts without a pause, every request another function',
  byDefault: true,
  async run({ quick, signal, progress, startPlatform }) {
    const forMs = quick ? 10_000 : 60_000;
    const bareForMs = forMs / 6;
    progress('bare Node.js starts');
    const bareBefore = await bareRate(bareForMs);
    await using platform = await startPlatform({ poolSize, maxSandboxes });
    const functions = Math.ceil((bareBefore * share * forMs) / perSecond);
    progress(`deploying ${functions} functions`);
    await deployUnique(platform, 1, functions, config);
    (await openConnection(platform)).destroy();
    await poolIsFull(platform, signal);
    progress(`asking for ${forMs / perSecond} s`);
    const order = { gatewayUrl: platform.gatewayUrl, functions, lanes: lanesPerProcessor * availableParallelism(), forMs };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(forMs + answerLimitMs)]);
    const { answers, wrong, lastedMs, cpuMs } = await streamColdRequests(order, limit);
    progress('bare Node.js starts');
    const bareAfter = await bareRate(bareForMs);
    // Whoever asks has his processors elsewhere.
    const forStartsMs = lastedMs - cpuMs / availableParallelism();
    const third = lastedMs / 3;
    const rateFrom = (fromMs: number) => answers.filter(({ atMs }) => atMs > fromMs && atMs <= fromMs + third).length / (third / perSecond);
    const samples = answers.length;
    return {
      figures: [
        {
          what: 'rate',
          value: samples / (forStartsMs / perSecond),
          unit: 'starts/s',
          samples,
          baseline: { name: 'bare Node.js starts', value: (bareBefore + bareAfter) / 2 },
          target: { atLeast: 0.45 },
        },
        {
          what: 'rate of the last third',
          value: rateFrom(2 * third),
          unit: 'starts/s',
          samples,
          baseline: { name: 'of the second', value: rateFrom(third) },
          target: { atLeast: 0.8 },
        },
        { what: 'errors', value: wrong.length, unit: 'count', samples, target: { atMost: 0 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [
        `an answer took ${median(answers.map(({ tookMs }) => tookMs)).toFixed(0)} ms, p99 ${summarise(answers.map(({ tookMs }) => tookMs)).p99.toFixed(0)} ms, with ${order.lanes} requests under way`,
        `bare Node.js: ${bareBefore.toFixed(1)} starts/s before, ${bareAfter.toFixed(1)} after; who asked took ${(cpuMs / perSecond).toFixed(1)} s of a processor, which are not in the time`,
        ...wrong.slice(0, 3),
      ],
    };
  },
};

/** As many as keep all processors busy. @returns how many a second */
async function bareRate(forMs: number): Promise<number> {
  const startedAt = performance.now();
  let started = 0;
  const lane = async () => {
    for (; performance.now() - startedAt < forMs; started++) await bareStart();
  };
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, lane));
  return (started * perSecond) / (performance.now() - startedAt);
}
