import { setTimeout as sleep } from 'node:timers/promises';
import { packHeavyInit } from '../bench-functions.ts';
import { openConnection } from '../cold-starts.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import { anonymousBytesOf, sandboxTree } from '../processes.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { parseServerTiming } from '../server-timing.ts';
import { median, summarise } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 4;
const initMs = 200;
const objects = 200_000;
const times = { freezeMs: 100, hibernateMs: 150, idleMs: 3_600_000, maximum: 1 };
const lookEveryMs = 20;
const limitMs = 30_000;
/** What looked at the instance was work too. */
const settleMs = 50;
const bytesPerMiB = 2 ** 20;
/** Of its init; of the memory that it had. */
const partOfInit = 0.25;
const partOfMemory = { zram: 1 / 4, file: 1 / 20 } as const;
type SwapKind = keyof typeof partOfMemory;

/** Requests to an instance whose memory was seen to be in swap, and what is left of it in memory. */
export const hibernated: Scenario = {
  name: 'hibernated',
  title: 'a hibernated instance to its answer',
  byDefault: true,
  async run(context) {
    const [zram, file] = [await measure('zram', context), await measure('file', context)];
    return {
      figures: [...zram.figures, ...file.figures],
      isolation: zram.isolation,
      poolSize,
      notes: [`each time its whole memory went to swap before; its init keeps ${objects} objects and takes ${initMs} ms of a processor`],
    };
  },
};

async function measure(kind: SwapKind, context: BenchContext): Promise<{ figures: Figure[]; isolation: BenchPlatform['isolation'] }> {
  const { quick, signal, progress } = context;
  const wakes = quick ? 10 : 100;
  await using platform = await context.startPlatform({ poolSize, environment: { SWIFTLET_SWAP: `${kind}:1GiB` } });
  await platform.api.deploy('sleeper', await packHeavyInit(initMs, objects), times);
  const connection = await openConnection(platform);
  const request = async (start: string) => {
    const answer = await timedRequest(`${platform.gatewayUrl}/sleeper`, { agent: connection });
    const found = String(answer.headers['x-swiftlet-start']);
    if (answer.status !== 200 || found !== start)
      throw new Error(`a ${start} request was answered ${answer.status} (${found}): ${answer.body}`);
    return answer;
  };
  const cold = await request('cold');
  const init = parseServerTiming(String(cold.headers['server-timing'])).get('init') ?? initMs;
  const [{ pid } = { pid: 0 }] = await platform.api.instances('sleeper');
  const had = anonymousBytesOf(sandboxTree(pid)) / bytesPerMiB;
  const [tookMs, left]: [number[], number[]] = [[], []];
  for (let done = 0; done < wakes; done++) {
    if (done % 10 === 0) progress(`${kind}: ${done} of ${wakes} wakes`);
    left.push((await isHibernated(platform, signal)) / bytesPerMiB);
    tookMs.push((await request('awakened')).tookMs);
  }
  connection.destroy();
  const { p50, p99, count } = summarise(tookMs);
  const held = { name: 'what it had', value: had };
  return {
    figures: [
      {
        what: `p50 (${kind})`,
        value: p50,
        unit: 'ms',
        samples: count,
        baseline: { name: 'its init', value: init },
        target: { atMost: partOfInit },
      },
      { what: `p99 (${kind})`, value: p99, unit: 'ms', samples: count },
      {
        what: `memory left (${kind})`,
        value: median(left),
        unit: 'MiB',
        samples: count,
        baseline: held,
        target: { atMost: partOfMemory[kind] },
      },
    ],
    isolation: platform.isolation,
  };
}

/** @returns what it takes of the memory, with its part of zram */
async function isHibernated({ api }: BenchPlatform, signal: AbortSignal): Promise<number> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const [instance, ...others] = await api.instances('sleeper');
    if (others.length === 0 && instance?.state === 'hibernated') {
      await sleep(settleMs, undefined, { signal });
      return instance.memoryBytes;
    }
    if (performance.now() > deadline) throw new Error(`the instance is ${instance?.state ?? 'gone'} after ${limitMs / 1000} s`);
    await sleep(lookEveryMs, undefined, { signal });
  }
}
