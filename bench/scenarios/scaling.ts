import { setTimeout as pause } from 'node:timers/promises';
import { packSlowHello } from '../bench-functions.ts';
import type { Figure } from '../figure.ts';
import type { ScaledFacts as Seen } from '../control-api.ts';
import type { BenchPlatform } from '../platform.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { sendLoad } from '../steady-load.ts';

const handlerMs = 100;
const secondMs = 1_000;
const lookEveryMs = 250;
const poolSize = 20;
/** Ten minutes in two: what takes time is five times as fast, too. The delay stands for 10 s, which follows closely; the default is the idle time. */
const scaled = { freezeMs: 2_000, idleMs: 12_000, scale: { windowMs: 12_000, burstWindowMs: 1_200, delayMs: 2_000 } };

interface Pattern {
  readonly name: string;
  /** Requests a second, each second. */
  readonly rates: readonly number[];
  /** Instance-seconds over the ideal. */
  readonly atMost: number | undefined;
}

const patterns = (seconds: number): readonly Pattern[] => {
  const all = Array.from({ length: seconds }, (_, second) => second);
  return [
    { name: 'steps', rates: all.map((second) => (Math.floor((3 * second) / seconds) === 1 ? 200 : 10)), atMost: 2 },
    { name: 'sine', rates: all.map((second) => 100 + 90 * Math.sin((2 * Math.PI * second) / seconds)), atMost: 1.6 },
    { name: 'bursts', rates: all.map((second) => (second % 30 < 5 ? 200 : 10)), atMost: undefined },
  ];
};

/** How the number of instances follows a load: what it costs over the least that could do, and whether anybody sees it. */
export const scaling: Scenario = {
  name: 'scaling',
  title: 'steps 10 → 200 → 10 requests/s, a sine, and bursts (100 ms each, concurrency 1)',
  byDefault: true,
  async run(context) {
    const { quick, startPlatform } = context;
    await using platform = await startPlatform({ poolSize, maxSandboxes: 200 });
    const figures: Figure[] = [];
    const notes: string[] = [];
    for (const pattern of patterns(quick ? 30 : 120)) {
      const measured = await follow(context, platform, quick ? { ...pattern, atMost: undefined } : pattern);
      figures.push(...measured.figures);
      notes.push(...measured.notes);
    }
    return {
      figures,
      isolation: platform.isolation,
      poolSize,
      notes: [
        'windows, freeze and idle times are a fifth of the defaults, the delay one of 10 s: ten minutes in two',
        // A fourth of the time with the same windows: instances follow too late by design (2.8 times the ideal for steps, 2.2 for the sine, simulated).
        ...(quick ? ['a quick run is too short for its windows: its instance-seconds have no target'] : []),
        ...notes,
      ],
    };
  },
};

async function follow({ signal, progress }: BenchContext, platform: BenchPlatform, { name, rates, atMost }: Pattern) {
  await platform.api.deploy(name, await packSlowHello(handlerMs), scaled);
  const seen: number[] = [];
  let most: Seen = { instances: 0, scaling: [] };
  const look = async () => {
    const now = await platform.api.scaled(name);
    seen.push(now.instances);
    if (now.instances > most.instances) most = now;
  };
  const watch = setInterval(() => void look(), lookEveryMs);
  const failures: string[] = [];
  let requests = 0;
  try {
    for (const [second, rate] of rates.entries()) {
      if (second % 10 === 0) progress(`${name}: ${second} of ${rates.length} s`);
      const load = sendLoad(`${platform.gatewayUrl}/${name}/`, rate);
      await pause(secondMs, undefined, { signal });
      void load.stop().then((answers) => {
        requests += answers.tookMs.length;
        failures.push(...answers.failures.map(({ status, body }) => `${status}: ${body}`));
      });
    }
    await pause(5 * secondMs, undefined, { signal });
  } finally {
    clearInterval(watch);
  }
  const ideal = rates.reduce((sum, rate) => sum + Math.ceil((rate * handlerMs) / secondMs), 0);
  const used = (seen.reduce((sum, there) => sum + there, 0) * lookEveryMs) / secondMs;
  const figures: Figure[] = [
    {
      what: `instance-seconds, ${name}`,
      value: used,
      unit: 'count',
      samples: seen.length,
      baseline: { name: 'ideal', value: ideal },
      ...(atMost === undefined ? {} : { target: { atMost } }),
    },
    { what: `errors, ${name}`, value: failures.length, unit: 'count', samples: requests, target: { atMost: 0 } },
  ];
  return {
    figures,
    notes: [`${name}: ${most.instances} instances at most${reasonOf(most)}, ${turns(seen)} turns`, ...failures.slice(0, 2)],
  };
}

/** What the autoscaler says of the moment with the most. */
const reasonOf = ({ scaling: [view] }: Seen): string =>
  view === undefined
    ? ''
    : ` (target ${view.target}${view.limitedBy === undefined ? '' : `, limited by ${view.limitedBy}`}; ${view.wanted} wanted by the ${view.window} window, ${view.inFlight} requests)`;

/** How often the number turns around by more than two. */
function turns(seen: readonly number[]): number {
  let [last, direction, count] = [seen[0] ?? 0, 0, 0];
  for (const there of seen) {
    if (Math.abs(there - last) <= 2) continue;
    const now = Math.sign(there - last);
    if (direction !== 0 && now !== direction) count += 1;
    [last, direction] = [there, now];
  }
  return count;
}
