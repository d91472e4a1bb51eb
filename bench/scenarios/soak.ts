import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from '../figure.ts';
import { collectable, collectGarbage } from '../garbage.ts';
import { type Holdings, holdingsOf, rolesBelow } from '../holdings.ts';
import type { BenchPlatform } from '../platform.ts';
import { poolIsFull } from '../pool.ts';
import { type ProcessFacts, residentBytesOf } from '../processes.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { deploySoakFunctions, soakFunctions } from '../soak-functions.ts';
import { visitFor } from '../soak-visits.ts';

const poolSize = 8;
const restLimitMs = 30_000;
const bytesPerMiB = 2 ** 20;

/** Mixed load for as long as it takes to see a leak. */
export const soak: Scenario = {
  name: 'soak',
  title: '10 minutes of mixed load with errors, timeouts, disconnects',
  byDefault: false,
  async run(context) {
    const { warmUpMs, loadMs } = context.quick ? { warmUpMs: 10_000, loadMs: 20_000 } : { warmUpMs: 300_000, loadMs: 600_000 };
    await using platform = await context.startPlatform({ poolSize, environment: collectable });
    await deploySoakFunctions(platform);
    context.progress(`warming up for ${warmUpMs / 1000} s`);
    await visitFor(platform.gatewayUrl, warmUpMs, context.signal);
    await atRest(platform, context);
    const roles = rolesBelow(platform.pid);
    if (roles.length === 0) throw new Error('the platform’s roles cannot be found among its processes');
    const before = holdingsOf(platform.pid, platform.home);
    const memoryBefore = await memoryOf(roles, context);
    context.progress(`loading for ${loadMs / 1000} s`);
    const tally = await visitFor(platform.gatewayUrl, loadMs, context.signal);
    await atRest(platform, context);
    const memoryAfter = await memoryOf(roles, context);
    const restarted = roles.length - rolesBelow(platform.pid).filter(({ pid }) => roles.some((role) => role.pid === pid)).length;
    return {
      figures: [
        { what: 'wrong answers', value: tally.wrong.length, unit: 'count', samples: tally.visits, target: { atMost: 0 } },
        { what: 'roles that restarted', value: restarted, unit: 'count', samples: roles.length, target: { atMost: 0 } },
        memoryFigure(memoryBefore, memoryAfter),
        ...leakFigures(before, holdingsOf(platform.pid, platform.home)),
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [
        ...roles.map(({ title }, at) => memoryNote(title, memoryBefore[at] ?? 0, memoryAfter[at] ?? 0)),
        ...new Set(tally.wrong.slice(0, 5)),
      ],
    };
  },
};

/** Waits until nothing runs but the roles and the pool. */
async function atRest(platform: BenchPlatform, { signal, progress }: BenchContext): Promise<void> {
  progress('waiting for rest');
  const deadline = performance.now() + restLimitMs;
  // One after another, over one connection: more of them would be counted among what control has open.
  const running = async () => {
    let count = 0;
    for (const name of soakFunctions) count += (await platform.api.instances(name)).length;
    return count;
  };
  while ((await running()) > 0) {
    if (performance.now() > deadline) throw new Error(`instances still run ${restLimitMs / 1000} s after the last request`);
    await sleep(500, undefined, { signal });
  }
  await poolIsFull(platform, signal);
  // By then the connections of what was asked here are closed, too.
  await sleep(6_000, undefined, { signal });
}

/** What each role holds resident, without garbage. */
async function memoryOf(roles: readonly ProcessFacts[], { signal }: BenchContext): Promise<number[]> {
  await collectGarbage(roles, signal);
  return roles.map(({ pid }) => residentBytesOf(pid));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function memoryFigure(before: readonly number[], after: readonly number[]): Figure {
  const grown = (sum(after) - sum(before)) / bytesPerMiB;
  return { what: 'memory growth of the roles', value: grown, unit: 'MiB', samples: before.length, target: { atMost: 1 } };
}

const memoryNote = (role: string, before: number, after: number): string =>
  `${role}: ${(before / bytesPerMiB).toFixed(1)} MiB resident before, ${(after / bytesPerMiB).toFixed(1)} after`;

/** What there is more of than before must be nothing; less would be as wrong. */
const leakFigures = (before: Holdings, after: Holdings): Figure[] =>
  (['processes', 'descriptors', 'mounts', 'cgroups'] as const).map((what) => ({
    what: `${what} left over`,
    value: Math.abs(after[what] - before[what]),
    unit: 'count',
    samples: before[what],
    target: { atMost: 0 },
  }));
