import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchedLanguage } from './benched-language.ts';
import { bareNote, coldFigures } from './cold-figures.ts';
import { type ColdStart, coldRequest, deployUnique, openConnection, removeAll } from './cold-starts.ts';
import type { BenchContext, Result } from './scenario.ts';
import { timingNote } from './server-timing.ts';

const poolSize = 0;
const batch = 25;
const betweenStartsMs = 60;
const afterRemovalMs = 500;

/** Nothing is warm: the request waits for a sandbox to boot. A bare start goes before each, as they take about as long. */
export async function emptyPoolStarts(
  { startPlatform, quick, signal, progress }: BenchContext,
  { config, pack, bare, bareName }: BenchedLanguage,
  atMost: { readonly p50: number },
): Promise<Result> {
  const starts = quick ? 25 : 200;
  await using platform = await startPlatform({ poolSize, maxSandboxes: 4 * batch });
  const samples: ColdStart[] = [];
  const bareMs: number[] = [];
  const connection = await openConnection(platform);
  for (let first = 1; first <= starts; first += batch) {
    progress(`${first - 1} of ${starts} starts`);
    const functions = await deployUnique(platform, first, batch, config, pack);
    for (const one of functions) {
      bareMs.push(await bare());
      await sleep(betweenStartsMs, undefined, { signal });
      samples.push(await coldRequest(platform, one, connection));
      await sleep(betweenStartsMs, undefined, { signal });
    }
    await removeAll(platform, functions);
    await sleep(afterRemovalMs, undefined, { signal });
  }
  connection.destroy();
  return {
    figures: coldFigures(samples, bareMs, atMost, bareName),
    isolation: platform.isolation,
    poolSize,
    notes: [bareNote(bareMs, bareName), timingNote(samples)],
  };
}
