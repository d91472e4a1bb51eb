import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { packHeavyInit } from '../bench-functions.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { memoryPerSwappedByte, readSwapAreas } from '../../src/agent/linux/swap-areas.ts';
import { summarise } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 4;
const initMs = 100;
const objects = 20_000;
const times = { freezeMs: 1_000, idleMs: 3_600_000, maximum: 1 };
const deploysAtOnce = 4;
const lookEveryMs = 1_000;
const limitMs = 60;
const bytesPerMiB = 2 ** 20;

interface Crowd {
  readonly functions: number;
  readonly budgetMiB: number;
  readonly roundMs: number;
  /** After the first, in which all start. */
  readonly rounds: number;
}

interface Measured {
  readonly tookMs: readonly number[];
  readonly starts: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
  /** The most that was seen. */
  readonly heldMiB: number;
  readonly isolation: BenchPlatform['isolation'];
}

/** Many functions that are seldom called, in less memory than they have together: with swap, and the same without. */
export const crowdedMemory: Scenario = {
  name: 'crowded-memory',
  title: '300 functions called once a minute in 1 GiB',
  byDefault: true,
  async run(context) {
    const crowd: Crowd = context.quick
      ? { functions: 40, budgetMiB: 160, roundMs: 15_000, rounds: 1 }
      : { functions: 300, budgetMiB: 1_024, roundMs: 60_000, rounds: 2 };
    const swapped = await measure('file:4GiB', crowd, context);
    const alone = await measure(undefined, crowd, context);
    return {
      figures: [...figuresOf('with swap', swapped, crowd), ...figuresOf('without', alone, crowd).map(stated)],
      isolation: swapped.isolation,
      poolSize,
      notes: [swapped, alone].map(
        ({ starts, failures }, at) =>
          `${at === 0 ? 'with swap' : 'without'}: ${[...starts].map(([start, count]) => `${count} ${start}`).join(', ')}${failures.length === 0 ? '' : `; the first that was not answered: ${failures[0]}`}`,
      ),
    };
  },
};

const stated = ({ what, value, unit, samples, baseline }: Figure): Figure => ({
  what,
  value,
  unit,
  samples,
  ...(baseline === undefined ? {} : { baseline }),
});

function figuresOf(which: string, { tookMs, failures, heldMiB }: Measured, { budgetMiB }: Crowd): Figure[] {
  const { p50, p99, count } = summarise(tookMs);
  return [
    { what: `p50 ${which}`, value: p50, unit: 'ms', samples: count },
    { what: `p99 ${which}`, value: p99, unit: 'ms', samples: count, target: { atMost: limitMs } },
    { what: `not answered ${which}`, value: failures.length, unit: 'count', samples: count, target: { atMost: 0 } },
    {
      what: `memory ${which}, at most`,
      value: heldMiB,
      unit: 'MiB',
      samples: count,
      baseline: { name: 'the budget', value: budgetMiB },
      target: { atMost: 1 },
    },
  ];
}

async function measure(swap: string | undefined, crowd: Crowd, context: BenchContext): Promise<Measured> {
  const { functions, budgetMiB, roundMs, rounds } = crowd;
  await using platform = await context.startPlatform({
    poolSize,
    maxSandboxes: functions + 4 * poolSize,
    environment: { SWIFTLET_MEMORY_BUDGET: `${budgetMiB}MiB`, ...(swap === undefined ? {} : { SWIFTLET_SWAP: swap }) },
  });
  const names = Array.from({ length: functions }, (_, at) => `crowd-${at}`);
  const code = await packHeavyInit(initMs, objects);
  context.progress(`deploying ${functions} functions`);
  const queue = names.values();
  await Promise.all(
    Array.from({ length: deploysAtOnce }, async () => {
      for (const name of queue) await platform.api.deploy(name, code, times);
    }),
  );
  const watching = new AbortController();
  const held = watchMemory(platform, watching.signal);
  const agent = new Agent({ keepAlive: true });
  await callAll(platform, names, roundMs, agent, context, 'first round');
  const answers: Awaited<ReturnType<typeof callAll>>[] = [];
  for (let round = 1; round <= rounds; round++)
    answers.push(await callAll(platform, names, roundMs, agent, context, `round ${round} of ${rounds}`));
  agent.destroy();
  watching.abort();
  const all = answers.flat();
  const starts = new Map<string, number>();
  for (const { start } of all) starts.set(start, (starts.get(start) ?? 0) + 1);
  return {
    tookMs: all.map(({ tookMs }) => tookMs),
    failures: all.flatMap(({ failure }) => failure ?? []),
    starts,
    heldMiB: (await held) / bytesPerMiB,
    isolation: platform.isolation,
  };
}

/** Each once, at a moment of its own. */
async function callAll(
  { gatewayUrl }: BenchPlatform,
  names: readonly string[],
  roundMs: number,
  agent: Agent,
  { signal, progress }: BenchContext,
  what: string,
): Promise<{ tookMs: number; start: string; failure?: string }[]> {
  progress(`${names.length} functions, ${what}`);
  const calls = names.map(async (name) => {
    await sleep(Math.random() * roundMs, undefined, { signal });
    const { status, headers, body, tookMs } = await timedRequest(`${gatewayUrl}/${name}`, { agent });
    return { tookMs, start: String(headers['x-swiftlet-start']), ...(status === 200 ? {} : { failure: `${status}: ${body}` }) };
  });
  const rest = sleep(roundMs, undefined, { signal });
  const answers = await Promise.all(calls);
  await rest;
  return answers;
}

/** What sandboxes take of the memory, looked at every second, with what zram holds. @returns the most of it in bytes, once the signal aborts */
async function watchMemory({ api }: BenchPlatform, signal: AbortSignal): Promise<number> {
  let most = 0;
  while (!signal.aborted) {
    const metrics = await api.metrics('agent');
    const value = (name: string) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0);
    const swapped = value('swiftlet_sandboxes_swapped_bytes') * memoryPerSwappedByte(readSwapAreas());
    most = Math.max(most, value('swiftlet_sandboxes_private_bytes') + swapped);
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
  return most;
}
