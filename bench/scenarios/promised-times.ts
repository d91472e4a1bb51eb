import { setTimeout as pause } from 'node:timers/promises';
import { packHello, packModule, packUnique } from '../bench-functions.ts';
import type { Figure } from '../figure.ts';
import { forkBomb } from '../hostile-functions.ts';
import type { BenchPlatform } from '../platform.ts';
import { pidOfRole } from '../processes.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 4;
const samples = 10;
const quickSamples = 2;
const timeLimitMs = 500;
/** A supervisor waits longer from kill to kill, until the role has run for a while. */
const betweenKillsMs = 12_000;
const giveUpMs = 30_000;
/** The host's descriptors, cgroups and sandbox are given back before the next one. */
const betweenBombsMs = 1_000;

/** What SPECIFICATION.md promises in milliseconds, whatever the host: each the longest of some. */
export const promisedTimes: Scenario = {
  name: 'promised-times',
  title: 'what is promised in milliseconds: the longest of ten',
  byDefault: true,
  async run(context) {
    await using platform = await context.startPlatform({ poolSize });
    const figures = [
      await lateness('a time limit of 500 ms of a handler that waits: off by', hanging, platform, context),
      await lateness('a time limit of 500 ms of a handler that spins: off by', spinning, platform, context),
      await forkBombs(platform, context),
      await rollbacks(platform, context),
      await revocations(platform, context),
      await startsOfKilledAgents(platform, context),
      await answersOfKilledGateways(platform, context),
    ];
    return { figures, isolation: platform.isolation, poolSize, notes: [] };
  },
};

const hanging = 'new Promise(() => setInterval(() => {}, 1000))';
const spinning = '(() => { for (;;); })()';

/** How far from its limit a request was ended. */
async function lateness(what: string, stays: string, platform: BenchPlatform, context: BenchContext): Promise<Figure> {
  const source = `export const handler = (event) => (event.rawPath === '/fine' ? 'fine' : ${stays});`;
  await platform.api.deploy('limited', await packModule(source), { timeoutMs: timeLimitMs });
  return longest(what, 250, context, async () => {
    // The limit is the handler's: a cold start before it is not its time.
    await asked(platform, 'limited/fine', 200);
    return Math.abs((await asked(platform, 'limited/', 504)) - timeLimitMs);
  });
}

async function forkBombs(platform: BenchPlatform, context: BenchContext): Promise<Figure> {
  await platform.api.deploy('forks', await packModule(forkBomb.source), forkBomb.config);
  return longest('a fork bomb, until its request is told', 2_000, context, async () => {
    await asked(platform, 'forks/warm', 200);
    const tookMs = await asked(platform, 'forks/', 502);
    await pause(betweenBombsMs, undefined, { signal: context.signal });
    return tookMs;
  });
}

/** Until the version before is in force, as the answer says. */
async function rollbacks(platform: BenchPlatform, context: BenchContext): Promise<Figure> {
  let number = 0;
  await platform.api.deploy('back', await packUnique(number));
  return longest('a way back, until it is in force', 1_000, context, async () => {
    await platform.api.deploy('back', await packUnique((number += 1)));
    const startedAt = performance.now();
    await platform.api.rollBack('back');
    return performance.now() - startedAt;
  });
}

/** Until a token that is revoked opens nothing at the gateway. */
async function revocations(platform: BenchPlatform, context: BenchContext): Promise<Figure> {
  let number = 0;
  await platform.api.deploy('closed', await packHello(), { url: 'token' });
  return longest('a token that is revoked, until it opens nothing', 2_000, context, async () => {
    const { id, token } = await platform.api.createToken(`soon gone ${(number += 1)}`, 'invoker');
    const headers = { authorization: `Bearer ${token}` };
    await asked(platform, 'closed/', 200, headers);
    const startedAt = performance.now();
    await platform.api.revoke(id);
    while ((await timedRequest(`${platform.gatewayUrl}/closed/`, { headers })).status !== 401)
      if (performance.now() - startedAt > giveUpMs) throw new Error(`the token opens still, ${giveUpMs} ms after it was revoked`);
    return performance.now() - startedAt;
  });
}

/** A cold start that is asked for when the agent has just been killed. */
async function startsOfKilledAgents(platform: BenchPlatform, context: BenchContext): Promise<Figure> {
  let number = 0;
  return longest('a cold start, the agent just killed', 2_000, context, async () => {
    const name = `fresh-${(number += 1)}`;
    await platform.api.deploy(name, await packHello());
    kill(platform, 'agent');
    const tookMs = await asked(platform, `${name}/`, 200);
    await pause(betweenKillsMs, undefined, { signal: context.signal });
    return tookMs;
  });
}

/** An answer to who comes when the gateway has just been killed: his connection waits for its successor. */
async function answersOfKilledGateways(platform: BenchPlatform, context: BenchContext): Promise<Figure> {
  await platform.api.deploy('open', await packHello());
  return longest('an answer, the gateway just killed', 2_000, context, async () => {
    kill(platform, 'gateway');
    const tookMs = await asked(platform, 'open/', 200);
    await pause(betweenKillsMs, undefined, { signal: context.signal });
    return tookMs;
  });
}

function kill({ pid: supervisor }: BenchPlatform, role: string): void {
  const pid = pidOfRole(supervisor, role);
  if (pid === undefined) throw new Error(`the ${role} does not run`);
  process.kill(pid, 'SIGKILL');
}

/** @throws Error for another status: a time says nothing then */
async function asked({ gatewayUrl }: BenchPlatform, path: string, expected: number, headers = {}): Promise<number> {
  const { status, body, tookMs } = await timedRequest(`${gatewayUrl}/${path}`, { headers });
  if (status !== expected) throw new Error(`${path} answered ${status} instead of ${expected}: ${body.slice(0, 300)}`);
  return tookMs;
}

async function longest(what: string, atMost: number, { quick, progress }: BenchContext, once: () => Promise<number>): Promise<Figure> {
  progress(what);
  const times: number[] = [];
  for (let left = quick ? quickSamples : samples; left > 0; left--) times.push(await once());
  return { what, value: Math.max(...times), unit: 'ms', samples: times.length, target: { atMost } };
}
