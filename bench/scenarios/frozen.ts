import { setTimeout as sleep } from 'node:timers/promises';
import { packHello } from '../bench-functions.ts';
import { openConnection } from '../cold-starts.ts';
import type { BenchPlatform } from '../platform.ts';
import type { Scenario } from '../scenario.ts';
import { median, summarise } from '../statistics.ts';
import { type TimedAnswer, timedRequest } from '../timed-request.ts';

const poolSize = 4;
const freezeMs = 150;
const warmPerThaw = 3;
const lookEveryMs = 20;
const limitMs = 10_000;
/** The machine comes to rest before the next request: what looked at the instance was work too. */
const settleMs = 15;
const allowanceMs = 1;

/** A request to an instance that was seen to be frozen, and then some to it while it is ready. */
export const frozen: Scenario = {
  name: 'frozen',
  title: 'a frozen instance to its answer',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const thaws = quick ? 40 : 300;
    await using platform = await context.startPlatform({ poolSize });
    await platform.api.deploy('hello', await packHello(), { freezeMs, maximum: 1 });
    const connection = await openConnection(platform);
    const request = async (start: string): Promise<number> => {
      const answer = await timedRequest(`${platform.gatewayUrl}/hello`, { agent: connection });
      check(answer, start);
      return answer.tookMs;
    };
    await request('cold');
    const [thawed, warm]: [number[], number[]] = [[], []];
    for (let done = 0; done < thaws; done++) {
      if (done % 10 === 0) progress(`${done} of ${thaws} thaws`);
      await isFrozen(platform, signal);
      thawed.push(await request('thawed'));
      for (let again = 0; again < warmPerThaw; again++) {
        await sleep(settleMs, undefined, { signal });
        warm.push(await request('warm'));
      }
    }
    connection.destroy();
    const { p50, p99, count } = summarise(thawed);
    const baseline = { name: `2 × a warm request + ${allowanceMs} ms`, value: 2 * median(warm) + allowanceMs };
    return {
      figures: [
        { what: 'p50', value: p50, unit: 'ms', samples: count, baseline, target: { atMost: 1 } },
        { what: 'p99', value: p99, unit: 'ms', samples: count },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [`warm request in between: ${warm.length} samples, p50 ${median(warm).toFixed(2)} ms, each after ${settleMs} ms of rest`],
    };
  },
};

function check({ status, headers, body }: TimedAnswer, start: string): void {
  const found = String(headers['x-swiftlet-start']);
  if (status !== 200 || found !== start) throw new Error(`a ${start} request was answered ${status} (${found}): ${body}`);
}

async function isFrozen({ api }: BenchPlatform, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const states = (await api.instances('hello')).map(({ state }) => state);
    if (states.length === 1 && states[0] === 'frozen') break;
    if (performance.now() > deadline) throw new Error(`the instance is ${states.join(', ') || 'gone'} after ${limitMs / 1000} s`);
    await sleep(lookEveryMs, undefined, { signal });
  }
  await sleep(settleMs, undefined, { signal });
}
