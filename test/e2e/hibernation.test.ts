/** Idle instances whose memory goes to swap that the platform makes for itself, and takes away again whatever kills it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { processTree } from '../../bench/processes.ts';
import { readSwapAreas } from '../../src/agent/linux/swap-areas.ts';
import { homeId } from '../../src/role/home.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsSwap } from './needs.ts';
import { killRole, runFolderOf } from './platform-processes.ts';

const main = join(packageFolder, 'src', 'cli', 'main.ts');
const own = (): string[] => readSwapAreas().flatMap(({ path }) => (path.startsWith(e2e.platform.home) ? [path] : []));
/** Of a whole start, on a machine under load. */
const limitMs = 60_000;
const times = { freezeMs: 50, hibernateMs: 100, idleMs: 60_000 };
const holds = (more: string) => `const kept = Array.from({ length: 200_000 }, (_, at) => ({ at, text: String(at) }));
  const born = Math.random();
  ${more}`;

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 2, environment: needsSwap === false ? { SWIFTLET_SWAP: 'file:512MiB' } : {} });
});
after(() => e2e[Symbol.asyncDispose]());

const instancesOf = (name: string) => e2e.platform.api.instances(name);
const untilHibernated = (name: string) =>
  eventually(
    () => instancesOf(name),
    (all) => all.length > 0 && all.every(({ state }) => state === 'hibernated'),
    limitMs,
  );
async function memoryOf(name: string): Promise<number> {
  const response = await fetch(`${e2e.platform.apiUrl}/v1/functions/${name}`, {
    headers: { authorization: `Bearer ${e2e.platform.token}` },
  });
  const { instances } = (await response.json()) as { instances: { memoryBytes: number }[] };
  return instances[0]?.memoryBytes ?? 0;
}

const swiftlet = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], {
    env: { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' },
    encoding: 'utf8',
  });

test('hibernated when idle for longer, awakened for the next request: its state, its timers and its sockets go on', {
  skip: needsSwap,
}, async () => {
  const code = `
    import { Agent, createServer, get } from 'node:http';
    ${holds('let ticks = 0;')}
    setInterval(() => { ticks += 1; }, 20);
    const server = createServer((request, response) => response.end('from inside')).listen(0, '127.0.0.1');
    // Otherwise it hangs up by its own clock, which goes on.
    server.keepAliveTimeout = 0;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () => new Promise((resolve, reject) => get({ port: server.address().port, agent }, (response) => {
      response.resume().on('end', () => resolve(response.req.reusedSocket));
    }).on('error', reject));
    export const handler = async () => ({ born, kept: kept.length, ticks, at: performance.now(), reused: await ask() });`;
  await e2e.publish('sleeper', code, times);
  const first = await e2e.call('/sleeper/');
  const awake = await memoryOf('sleeper');
  await untilHibernated('sleeper');
  const memoryBytes = await memoryOf('sleeper');
  assert.ok(memoryBytes < awake / 4, `${memoryBytes} of ${awake} bytes`);
  assert.match(await e2e.platform.api.metrics(), /swiftlet_instances\{.*function="sleeper",state="hibernated".*\} 1/);
  assert.match(swiftlet('describe', 'sleeper').stdout, /hibernated/);
  await pause(1_000);
  const second = await e2e.call('/sleeper/');
  assert.equal(second.headers.get('x-swiftlet-start'), 'awakened', second.text);
  assert.deepEqual([second.json['born'], second.json['kept'], second.json['reused']], [first.json['born'], 200_000, true]);
  const [ticks, ms] = [Number(second.json['ticks']) - Number(first.json['ticks']), Number(second.json['at']) - Number(first.json['at'])];
  assert.ok(ms >= 1_000 && ticks < (ms - 1_000) / 20 + 3, `${ticks} ticks in ${ms} ms, a second of which it was hibernated`);
  await eventually(
    () => swiftlet('describe', 'sleeper').stdout,
    (text) => /Starts: .*1 awakened/.test(text),
  );
  assert.match(await e2e.platform.api.metrics(), /swiftlet_version_starts_total\{.*function="sleeper",version="1",start="awakened"\} 1/);
  const record = await eventually(
    async () => (await e2e.log('sleeper')).find(({ report }) => (report as { start?: string } | undefined)?.start === 'awakened'),
    (found) => found !== undefined,
  );
  const traced = swiftlet('trace', String(record?.['requestId']), '--function', 'sleeper');
  assert.match(traced.stdout, /awakened/, traced.stderr);
});

test('doctor says where the memory goes', { skip: needsSwap }, () => {
  assert.match(swiftlet('doctor').stdout, /^hibernation of idle instances +in force .*disk/m);
});

test('swap that nobody can have, or that is no size, is refused before anything starts', () => {
  for (const [size, why] of [
    ['lots', /no size of memory/],
    ['zram:1', /out of range/],
  ] as const) {
    const { status, stderr } = swiftlet('up', '--swap', size);
    assert.deepEqual([status, why.test(stderr) && stderr.includes('SWIFTLET_SWAP')], [2, true], stderr);
  }
});

test('agent killed -9 with frozen and hibernated ones: the next one has them, and the swap they lie in', { skip: needsSwap }, async () => {
  await e2e.publish('outlives', holds('export const handler = () => born;'), times);
  const { text } = await e2e.call('/outlives/');
  await untilHibernated('outlives');
  const swap = own();
  assert.equal(swap.length, 1);
  await killRole(e2e.platform, 'agent');
  assert.equal((await e2e.call('/outlives/')).text, text);
  assert.deepEqual(own(), swap);
  await untilHibernated('outlives');
  const again = await e2e.call('/outlives/');
  assert.deepEqual([again.text, again.headers.get('x-swiftlet-start')], [text, 'awakened']);
});

test('all killed -9 with frozen and hibernated ones: the next start has them and no swap that nobody asked for, and its end leaves nothing', {
  skip: needsSwap,
}, async (t) => {
  await e2e.publish('frozen', 'export const handler = () => 1;', { freezeMs: 50, hibernateMs: 60_000 });
  await e2e.publish('hibernated', holds('export const handler = () => 1;'), times);
  await Promise.all([e2e.call('/frozen/'), e2e.call('/hibernated/')]);
  await untilHibernated('hibernated');
  const [swap = ''] = own();
  const { platform } = e2e;
  const pids = (await Promise.all(['frozen', 'hibernated'].map(instancesOf))).flat().map(({ pid }) => pid);
  const roles = processTree(platform.pid).filter(({ title }) => title.startsWith('swiftlet '));
  for (const pid of [platform.pid, ...roles.map((role) => role.pid)]) kill(pid);
  const next = spawn(process.execPath, [main, 'up', '--json'], {
    env: {
      ...process.env,
      SWIFTLET_HOME: platform.home,
      SWIFTLET_GATEWAY_PORT: new URL(platform.gatewayUrl).port,
      SWIFTLET_API_PORT: new URL(platform.apiUrl).port,
      SWIFTLET_LAMBDA_PORT: 'off',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  next.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise((resolve) => next.once('exit', resolve));
  t.after(() => next.kill('SIGKILL'));
  await eventually(
    () => [own().length, existsSync(swap)],
    ([areas, file]) => areas === 0 && file === false,
    limitMs,
  );
  await eventually(
    () =>
      fetch(`${platform.gatewayUrl}/_/health`).then(
        ({ ok }) => (ok ? 'healthy' : said),
        () => said,
      ),
    (now) => now === 'healthy',
    limitMs,
  );
  next.kill('SIGTERM');
  await ended;
  assert.deepEqual(pids.filter(isThere), []);
  assert.equal(existsSync(runFolderOf(0, platform.home)), false, homeId(platform.home));
});

/** Some end by themselves as soon as their parent has. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

const isThere = (pid: number): boolean => !/^State:\s+Z/m.test(read(`/proc/${pid}/status`) || 'State: Z');

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
