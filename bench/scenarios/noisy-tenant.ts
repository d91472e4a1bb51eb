import { setTimeout as pause } from 'node:timers/promises';
import { packModule } from '../bench-functions.ts';
import { type Bystander, openBystander } from '../bystander.ts';
import type { Figure } from '../figure.ts';
import { startNoisyLoad } from '../noisy-load.ts';
import type { BenchPlatform } from '../platform.ts';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';

const poolSize = 8;
const settlesWithinMs = 1_000;
/** How much more than its quota the noisy tenant asks for. */
const timesItsQuota = 10;
const takesMs = 200;

/** One quota, and a function and calls with which it is exceeded tenfold. */
interface Noise {
  readonly what: string;
  readonly quotas: Readonly<Record<string, number>>;
  readonly source: string;
  readonly perSecond: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const atOnce = `export const handler = () => 'loud';\n`;
const slowly = `export const handler = () => new Promise((resolve) => setTimeout(resolve, ${takesMs}, 'loud'));\n`;
const requests = 50;
const concurrency = 10;
const backlog = 50;

const noises: readonly Noise[] = [
  { what: 'requests a second', quotas: { requestsPerSecond: requests }, source: atOnce, perSecond: timesItsQuota * requests },
  // As many at once as are under way when each takes so long and none is refused.
  { what: 'requests at once', quotas: { concurrency }, source: slowly, perSecond: (timesItsQuota * concurrency * 1_000) / takesMs },
  {
    what: 'stored events',
    quotas: { asyncBacklog: backlog },
    source: slowly,
    perSecond: timesItsQuota * backlog,
    headers: { prefer: 'respond-async' },
  },
];

/** What a tenant's neighbours notice of it while it asks for ten times what it may have. */
export const noisyTenant: Scenario = {
  name: 'noisy-tenant',
  title: `two tenants beside a third that asks for ${timesItsQuota} × its quota`,
  byDefault: true,
  async run({ quick, startPlatform, signal, progress }) {
    const forMs = quick ? 2_000 : 15_000;
    await using platform = await startPlatform({ poolSize });
    using north = await bystanderOf(platform, 'north');
    using south = await bystanderOf(platform, 'south');
    const others = [north, south];
    const figures: Figure[] = [];
    const notes: string[] = [];
    const wrong: string[] = [];
    for (const noise of noises) {
      // Calm is measured before each: what the machine does else is part of both.
      progress(`calm before ${noise.what}`);
      const calm = await answersOf(others, forMs, signal);
      const calmP99 = summarise(calm.tookMs).p99;
      progress(`${timesItsQuota} × ${noise.what}`);
      const { answers, counts } = await beside(platform, others, noise, forMs, signal);
      const { p99, count } = summarise(answers.tookMs);
      const baseline = { name: 'calm', value: calmP99 };
      figures.push({
        what: `beside ${timesItsQuota} × ${noise.what}`,
        value: p99,
        unit: 'ms',
        samples: count,
        baseline,
        target: { atMost: 2 },
      });
      figures.push({ what: `refused: ${noise.what}`, value: counts['429'] ?? 0, unit: 'count', samples: count, target: { atLeast: 1 } });
      wrong.push(...calm.wrong, ...answers.wrong);
      notes.push(`${noise.what}: ${noise.perSecond} calls a second; answers by status ${JSON.stringify(counts)}`);
    }
    const samples = figures.reduce((sum, figure) => sum + figure.samples, 0);
    figures.push({ what: 'wrong answers to the others', value: wrong.length, unit: 'count', samples, target: { atMost: 0 } });
    return { figures, isolation: platform.isolation, poolSize, notes: ['figures are p99 of both others', ...notes, ...wrong.slice(0, 3)] };
  },
};

async function bystanderOf({ api, gatewayUrl }: BenchPlatform, tenant: string): Promise<Bystander> {
  await api.setTenant(tenant, { urls: 'public' });
  return openBystander({ api: api.of(tenant), gatewayUrl: `${gatewayUrl}/@${tenant}` });
}

/** Two tenants' answers, from a second after now. */
async function answersOf(others: readonly Bystander[], forMs: number, signal: AbortSignal) {
  await pause(settlesWithinMs, undefined, { signal });
  for (const other of others) await other.take();
  await pause(forMs, undefined, { signal });
  const all = await Promise.all(others.map((other) => other.take()));
  return { tookMs: all.flatMap(({ tookMs }) => tookMs), wrong: all.flatMap(({ wrong }) => wrong) };
}

async function beside(
  { api, gatewayUrl }: BenchPlatform,
  others: readonly Bystander[],
  { quotas, source, perSecond, headers = {} }: Noise,
  forMs: number,
  signal: AbortSignal,
) {
  await api.setTenant('noisy', { urls: 'public', quotas });
  const noisy = api.of('noisy');
  await noisy.deploy('loud', await packModule(source), { concurrency, maximum: 1 });
  try {
    using load = startNoisyLoad({ url: `${gatewayUrl}/@noisy/loud/`, perSecond, headers });
    const answers = await answersOf(others, forMs, signal);
    return { answers, counts: await load.take() };
  } finally {
    await noisy.remove('loud');
  }
}
