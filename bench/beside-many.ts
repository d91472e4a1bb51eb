/** What it costs a request that there is much beside it: of the gateway alone, which is all that a warm request meets. */
import { contest, standingOf } from './contest.ts';
import type { BenchContext, Result } from './scenario.ts';

interface Asked {
  readonly name: string;
  readonly url: string;
}

/** @param few what to compare with @param many the same beside much @param atMost of the ratio of their p50 */
export async function besideMany(context: BenchContext, few: Asked, many: Asked, atMost: number): Promise<Result> {
  const standings = await contest([few, many], 1, context);
  const ours = standingOf(standings, many.name);
  const baseline = { name: few.name, value: standingOf(standings, few.name).p50Ms * 1000 };
  const samples = ours.requests;
  return {
    figures: [
      { what: 'p50', value: ours.p50Ms * 1000, unit: 'µs', samples, baseline, target: { atMost } },
      { what: 'errors', value: ours.errors, unit: 'count', samples, target: { atMost: 0 } },
    ],
    isolation: await isolationOf(context),
    poolSize: 0,
    notes: ['control, the agent and an instance that answers at once are played by the bench; no sandbox is in the figures'],
  };
}

/** What is in force on this machine, which a report says of each scenario. */
async function isolationOf({ startPlatform }: BenchContext): Promise<Result['isolation']> {
  await using platform = await startPlatform({ poolSize: 0 });
  return platform.isolation;
}
