import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from '../figure.ts';
import { type Holdings, holdingsOf, rolesBelow } from '../holdings.ts';
import type { BenchPlatform } from '../platform.ts';
import { poolIsFull } from '../pool.ts';
import { residentBytesOf } from '../processes.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { deploySoakFunctions, soakFunctions } from '../soak-functions.ts';
import { visitFor } from '../soak-visits.ts';
import { growth, type Sample } from '../statistics.ts';

const poolSize = 8;
const sampleEveryMs = 2_000;
const restLimitMs = 30_000;
const bytesPerMiB = 2 ** 20;

/** Mixed load for as long as it takes to see a leak. */
export const soak: Scenario = {
  name: 'soak',
  title: '10 minutes of mixed load with errors, timeouts, disconnects',
  byDefault: false,
  async run(context) {
    const { warmUpMs, loadMs } = context.quick ? { warmUpMs: 10_000, loadMs: 20_000 } : { warmUpMs: 300_000, loadMs: 600_000 };
    await using platform = await context.startPlatform({ poolSize });
    await deploySoakFunctions(platform);
    context.progress(`warming up for ${warmUpMs / 1000} s`);
    await visitFor(platform.gatewayUrl, warmUpMs, context.signal);
    await atRest(platform, context);
    const before = holdingsOf(platform.pid);
    const roles = rolesBelow(platform.pid);
    if (roles.length === 0) throw new Error('the platform’s roles cannot be found among its processes');
    context.progress(`loading for ${loadMs / 1000} s`);
    const memory = new Map<string, Sample[]>(roles.map(({ title }) => [title, []]));
    const sampling = setInterval(() => {
      for (const { pid, title } of roles) memory.get(title)?.push({ atMs: performance.now(), value: residentBytesOf(pid) });
    }, sampleEveryMs);
    const tally = await visitFor(platform.gatewayUrl, loadMs, context.signal).finally(() => clearInterval(sampling));
    await atRest(platform, context);
    const restarted = roles.length - rolesBelow(platform.pid).filter(({ pid }) => roles.some((role) => role.pid === pid)).length;
    return {
      figures: [
        { what: 'wrong answers', value: tally.wrong.length, unit: 'count', samples: tally.visits, target: { atMost: 0 } },
        { what: 'roles that restarted', value: restarted, unit: 'count', samples: roles.length, target: { atMost: 0 } },
        memoryFigure(memory),
        ...leakFigures(before, holdingsOf(platform.pid)),
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [...[...memory].map(([role, samples]) => memoryNote(role, samples)), ...new Set(tally.wrong.slice(0, 5))],
    };
  },
};

/** Waits until nothing runs but the roles and the pool. */
async function atRest(platform: BenchPlatform, { signal, progress }: BenchContext): Promise<void> {
  progress('waiting for rest');
  const deadline = performance.now() + restLimitMs;
  const running = async () => (await Promise.all(soakFunctions.map((name) => platform.api.instances(name)))).flat().length;
  while ((await running()) > 0) {
    if (performance.now() > deadline) throw new Error(`instances still run ${restLimitMs / 1000} s after the last request`);
    await sleep(500, undefined, { signal });
  }
  await poolIsFull(platform, signal);
  await sleep(3_000, undefined, { signal });
}

function memoryFigure(memory: ReadonlyMap<string, readonly Sample[]>): Figure {
  const grown = [...memory.values()].reduce((sum, samples) => sum + growth(samples), 0) / bytesPerMiB;
  const samples = [...memory.values()].reduce((sum, { length }) => sum + length, 0);
  return { what: 'memory growth of the roles', value: grown, unit: 'MiB', samples, target: { atMost: 1 } };
}

function memoryNote(role: string, samples: readonly Sample[]): string {
  const last = samples.at(-1)?.value ?? 0;
  return `${role}: ${(last / bytesPerMiB).toFixed(1)} MiB resident, grew ${(growth(samples) / bytesPerMiB).toFixed(2)} MiB`;
}

/** What there is more of than before must be nothing; less would be as wrong. */
const leakFigures = (before: Holdings, after: Holdings): Figure[] =>
  (['processes', 'descriptors', 'mounts', 'cgroups'] as const).map((what) => ({
    what: `${what} left over`,
    value: Math.abs(after[what] - before[what]),
    unit: 'count',
    samples: before[what],
    target: { atMost: 0 },
  }));
