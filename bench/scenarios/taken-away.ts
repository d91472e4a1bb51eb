import { setTimeout as pause } from 'node:timers/promises';
import { packSlowHello } from '../bench-functions.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import { pidOfRole } from '../processes.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { type SteadyAnswers, sendLoad } from '../steady-load.ts';

const poolSize = 8;
const handlerMs = 50;
/** While the agent is away all of them wait: in five seconds no more than a tenant may have under way. */
const perSecond = 100;
const fewPerSecond = 10;
/** Many instances under the load, few soon after it. */
const config = { concurrency: 1, idleMs: 2_000, freezeMs: 1_000, scale: { windowMs: 6_000, burstWindowMs: 1_000, delayMs: 1_000 } };
const limitMs = 60_000;
const lookEveryMs = 100;
const roles = ['agent', 'gateway'] as const;

/** What callers see of it when instances go since there is less to do, and when the agent or the gateway is told to end. */
export const takenAway: Scenario = {
  name: 'taken-away',
  title: 'scale-in, and SIGTERM of the agent and of the gateway, under 100 requests/s (50 ms each)',
  byDefault: true,
  async run(context) {
    await using platform = await context.startPlatform({ poolSize });
    await platform.api.deploy('asked', await packSlowHello(handlerMs), config);
    context.progress('scale-in');
    const figures = await scaleIn(platform, context);
    for (const role of roles) {
      context.progress(`SIGTERM of the ${role}`);
      figures.push(...(await told(platform, role, context)));
    }
    return {
      figures,
      isolation: platform.isolation,
      poolSize,
      notes: ['connections that are refused while the one gateway is away are no requests: nobody has accepted anything'],
    };
  },
};

const urlOf = ({ gatewayUrl }: BenchPlatform): string => `${gatewayUrl}/asked/`;

async function scaleIn(platform: BenchPlatform, { quick, signal }: BenchContext): Promise<Figure[]> {
  const instances = async () => (await platform.api.instances('asked')).filter(({ state }) => state !== 'ending').length;
  const many = sendLoad(urlOf(platform), perSecond);
  await pause(quick ? 3_000 : 10_000, undefined, { signal });
  const before = await instances();
  const few = sendLoad(urlOf(platform), fewPerSecond);
  const first = await many.stop();
  await pause(quick ? 15_000 : 30_000, undefined, { signal });
  const left = await instances();
  const second = await few.stop();
  const answers = [first, second];
  return [
    failed('failed requests, scale-in', answers),
    {
      what: 'instances left, scale-in',
      value: left,
      unit: 'count',
      samples: 1,
      baseline: { name: 'under load', value: before },
      target: { atMost: 0.5 },
    },
  ];
}

async function told(platform: BenchPlatform, role: (typeof roles)[number], { quick, signal }: BenchContext): Promise<Figure[]> {
  const forMs = quick ? 2_000 : 8_000;
  const load = sendLoad(urlOf(platform), perSecond);
  const work = async () => {
    await pause(forMs, undefined, { signal });
    await replaced(platform, role, signal);
    await pause(forMs, undefined, { signal });
  };
  const [outcome] = await Promise.allSettled([work()]);
  const answers = await load.stop();
  if (outcome.status === 'rejected') throw outcome.reason;
  const refused = answers.failures.filter(isRefused).length;
  const what = `SIGTERM of the ${role}`;
  const figure = failed(`failed requests, ${what}`, [{ ...answers, failures: answers.failures.filter((one) => !isRefused(one)) }]);
  return [figure, { what: `connections refused, ${what}`, value: refused, unit: 'count', samples: figure.samples }];
}

const isRefused = ({ status, body }: SteadyAnswers['failures'][number]): boolean => status === 0 && body.includes('ECONNREFUSED');

function failed(what: string, answers: readonly SteadyAnswers[]): Figure {
  const failures = answers.flatMap((one) => one.failures);
  const samples = answers.reduce((sum, { tookMs }) => sum + tookMs.length, failures.length);
  const [first] = failures;
  // Why is worth more than how many.
  if (first !== undefined) process.stderr.write(`${what}: ${first.status} ${first.body.slice(0, 300)}\n`);
  return { what, value: failures.length, unit: 'count', samples, target: { atMost: 0 } };
}

/** Tells a role to end, and resolves when its successor serves. */
async function replaced({ pid: supervisor, gatewayUrl, apiUrl }: BenchPlatform, role: string, signal: AbortSignal): Promise<void> {
  const running = () => pidOfRole(supervisor, role);
  const before = running();
  if (before === undefined) throw new Error(`${role} does not run`);
  process.kill(before, 'SIGTERM');
  const isBack = async () => {
    const now = running();
    return now !== undefined && now !== before && (await isServed(`${gatewayUrl}/_/health`)) && (await isServed(`${apiUrl}/healthz`));
  };
  for (const until = performance.now() + limitMs; !(await isBack()); ) {
    if (performance.now() > until) throw new Error(`${role} is not back after ${limitMs} ms`);
    await pause(lookEveryMs, undefined, { signal });
  }
}

const isServed = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
