import { openConnection } from '../cold-starts.ts';
import type { Figure } from '../figure.ts';
import { poolIsFull } from '../pool.ts';
import { openProgramLanguages, type ProgramLanguage } from '../program-languages.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { helloAnswer } from '../bench-functions.ts';
import type { BenchPlatform } from '../platform.ts';
import { median, summarise } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 4;
const answer = JSON.stringify(helloAnswer);
const bundleLimitMs = 60_000;
/** Of the bare start, by language: from the pool, with an empty one, warm. */
const targets: Readonly<Record<string, readonly [pool: number, empty: number, warm: number]>> = {
  Java: [4, 6, 0.1],
  Go: [8, 40, 2],
  'a server in Node.js': [5, 8, 0.2],
};

/** Functions in Java, of a custom runtime and of a server, each beside the bare start of what it runs on. */
export const programLanguages: Scenario = {
  name: 'program-languages',
  title: 'functions that are processes of their own: from the pool, with an empty pool, warm',
  byDefault: true,
  async run(context) {
    await using languages = await openProgramLanguages();
    const figures: Figure[] = [];
    const bare = new Map<string, number[]>(languages.all.map(({ name }) => [name, []]));
    const took: Record<'pool' | 'empty' | 'warm', Map<string, number[]>> = { pool: new Map(), empty: new Map(), warm: new Map() };
    await using platform = await context.startPlatform({ poolSize });
    for (const one of languages.all) {
      took.pool.set(one.name, await coldStarts(platform, one, context, bare.get(one.name)));
      took.warm.set(one.name, await warmRequests(platform, one, context));
    }
    await using empty = await context.startPlatform({ poolSize: 0 });
    for (const one of languages.all) took.empty.set(one.name, await coldStarts(empty, one, context, bare.get(one.name)));
    for (const { name, bareName } of languages.all) {
      const baseline = { name: bareName, value: median(bare.get(name) ?? []) };
      for (const [i, [kind, what]] of kinds.entries()) {
        const { p50, count } = summarise(took[kind].get(name) ?? []);
        const atMost = targets[name]?.[i];
        const target = atMost === undefined ? {} : { target: { atMost } };
        figures.push({ what: `${name}: ${what}, p50`, value: p50, unit: 'ms', samples: count, baseline, ...target });
      }
    }
    return { figures, isolation: platform.isolation, poolSize, notes: [] };
  },
};

const kinds = [
  ['pool', 'from a full pool'],
  ['empty', 'with an empty pool'],
  ['warm', 'warm'],
] as const;

/** Each request has an instance of its own. */
async function coldStarts(
  platform: BenchPlatform,
  { name, config, bundle, bare }: ProgramLanguage,
  { quick, signal, progress }: BenchContext,
  bareMs: number[] = [],
): Promise<number[]> {
  const starts = quick ? 10 : 60;
  const id = `cold-${String(config.runtime)}`;
  await platform.api.deploy(id, bundle, { ...config, process: 'one-shot' });
  await isMade(platform, id, signal);
  const connection = await openConnection(platform);
  const samples: number[] = [];
  // The first fills the file cache.
  for (let i = 0; i <= starts; i++) {
    if (i % 10 === 0) progress(`${name}: ${i} of ${starts} starts`);
    if (platform.poolSize > 0) await poolIsFull(platform, signal);
    const { status, headers, body, tookMs } = await timedRequest(`${platform.gatewayUrl}/${id}`, { agent: connection });
    if (status !== 200 || body !== answer || headers['x-swiftlet-start'] !== 'cold') throw new Error(`${id} answered ${status}: ${body}`);
    const bareTook = await bare();
    if (i === 0) continue;
    samples.push(tookMs);
    bareMs.push(bareTook);
  }
  connection.destroy();
  return samples;
}

async function warmRequests(platform: BenchPlatform, { config, bundle }: ProgramLanguage, { quick }: BenchContext): Promise<number[]> {
  const id = `warm-${String(config.runtime)}`;
  await platform.api.deploy(id, bundle, config);
  const connection = await openConnection(platform);
  const samples: number[] = [];
  const [before, measured] = quick ? [100, 200] : [1_000, 3_000];
  for (let i = -before; i < measured; i++) {
    const { status, tookMs } = await timedRequest(`${platform.gatewayUrl}/${id}`, { agent: connection });
    if (status !== 200) throw new Error(`${id} answered ${status}`);
    if (i >= 0) samples.push(tookMs);
  }
  connection.destroy();
  return samples;
}

/** What a deploy does not wait for any more may be made still. */
export async function isMade(platform: BenchPlatform, id: string, signal: AbortSignal): Promise<void> {
  const until = performance.now() + bundleLimitMs;
  for (;;) {
    signal.throwIfAborted();
    const response = await fetch(`${platform.apiUrl}/v1/functions/${id}`, { headers: { authorization: `Bearer ${platform.token}` } });
    const { bundle } = (await response.json()) as { bundle?: { kind: string } };
    if (bundle?.kind !== 'pending') return;
    if (performance.now() > until) throw new Error(`the code of ${id} is not made ready`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
