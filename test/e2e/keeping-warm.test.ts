/** Instances at rest: frozen and thawed, with what user code sees of it; work in the background; provisioned and one-shot ones. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { processTree } from '../../bench/processes.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { type Answer, type E2e, eventually, openE2e } from './functions.ts';
import { killRole } from './platform-processes.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ maxSandboxes: 40 });
});
after(() => e2e[Symbol.asyncDispose]());

const startOf = ({ headers }: Answer): string | null => headers.get('x-swiftlet-start');
const statesOf = async (name: string) => (await e2e.platform.api.instances(name)).map(({ state }) => state);
const untilAll = (name: string, state: string) =>
  eventually(
    () => statesOf(name),
    (states) => states.length > 0 && states.every((each) => each === state),
  );

interface Described {
  readonly instances: readonly { readonly instanceId: string; readonly pid: number; readonly provisioned: boolean }[];
  readonly provisioned?: {
    readonly requested: number;
    readonly ready: number;
    readonly failed?: { readonly code: string; readonly detail: string };
  };
}

async function describe(name: string): Promise<Described> {
  const response = await fetch(`${e2e.platform.apiUrl}/v1/functions/${name}`, {
    headers: { authorization: `Bearer ${e2e.platform.token}` },
  });
  return (await response.json()) as Described;
}

function swiftlet(...args: string[]): string {
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  return spawnSync(process.execPath, [join(packageFolder, 'src', 'cli', 'main.ts'), ...args], { env, encoding: 'utf8' }).stdout;
}

const ticking = `
  import { Agent, createServer, get } from 'node:http';
  let ticks = 0;
  setInterval(() => { ticks += 1; }, 20);
  const server = createServer((request, response) => response.end('from inside')).listen(0, '127.0.0.1');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () => new Promise((resolve, reject) => get({ port: server.address().port, agent }, (response) => {
    response.setEncoding('utf8');
    let text = '';
    response.on('data', (chunk) => { text += chunk; }).on('end', () => resolve(text + (response.req.reusedSocket ? ', on the same socket' : '')));
  }).on('error', reject));
  export const handler = async () => ({ ticks, at: performance.now(), said: await ask() });`;

test('frozen when idle, thawed for the next request; timers fire no storm, sockets go on, time has passed', async () => {
  await e2e.publish('ticking', ticking, { freezeMs: 50 });
  const first = await e2e.call('/ticking/');
  assert.deepEqual([startOf(first), first.json['said']], ['cold', 'from inside']);
  await untilAll('ticking', 'frozen');
  await pause(1_000);
  const second = await e2e.call('/ticking/');
  assert.deepEqual([startOf(second), second.json['said']], ['thawed', 'from inside, on the same socket']);
  const [ticks, ms] = [Number(second.json['ticks']) - Number(first.json['ticks']), Number(second.json['at']) - Number(first.json['at'])];
  assert.ok(ms >= 1_000, `${ms} ms have passed`);
  assert.ok(ticks < (ms - 1_000) / 20 + 3, `${ticks} ticks in ${ms} ms, a second of which it was frozen`);
  assert.equal(startOf(await e2e.call('/ticking/')), 'warm');
  const { report } = (await eventually(
    async () => (await e2e.log('ticking')).filter(({ level }) => level === 'report')[1],
    (found) => found !== undefined,
  )) as { report: Record<string, unknown> };
  assert.equal(report['start'], 'thawed');
  assert.match(await e2e.platform.api.metrics(), /swiftlet_version_starts_total\{.*function="ticking",version="1",start="thawed"\} 1/);
  await eventually(
    () => swiftlet('describe', 'ticking'),
    (text) => text.includes('Starts: 1 warm, 1 thawed, 1 cold.'),
  );
});

test('idle for less than the time to freeze is not frozen, nor is a request under way', async () => {
  await e2e.publish('slow', 'export const handler = () => new Promise((r) => setTimeout(r, 700, "done"));', { freezeMs: 100 });
  await e2e.publish('rested', 'export const handler = () => 1;', { freezeMs: 10_000 });
  await e2e.call('/rested/');
  const answer = await e2e.call('/slow/');
  assert.equal(answer.text, '"done"');
  assert.equal(startOf(await e2e.call('/rested/')), 'warm');
});

test('frozen ones are thawed, each for one request, before another is started', async () => {
  // Longer than a start takes, so that nobody gets one that another has left.
  await e2e.publish('several', 'export const handler = () => new Promise((r) => setTimeout(r, 1_000, 1));', { freezeMs: 50 });
  await Promise.all([e2e.call('/several/'), e2e.call('/several/')]);
  await untilAll('several', 'frozen');
  const starts = (await Promise.all([e2e.call('/several/'), e2e.call('/several/'), e2e.call('/several/')])).map(startOf);
  assert.deepEqual(starts.sort(), ['cold', 'thawed', 'thawed']);
});

test('a frozen instance ends after its idle time, and with its function', async () => {
  await e2e.publish('idle', 'export const handler = () => 1;', { freezeMs: 50, idleMs: 1_500 });
  await e2e.call('/idle/');
  await untilAll('idle', 'frozen');
  await eventually(
    () => statesOf('idle'),
    ({ length }) => length === 0,
  );
  await e2e.publish('removed', 'export const handler = () => 1;', { freezeMs: 50 });
  await e2e.call('/removed/');
  await untilAll('removed', 'frozen');
  const [{ pid } = { pid: 0 }] = await e2e.platform.api.instances('removed');
  await e2e.platform.api.remove('removed');
  await eventually(
    () => isAlive(pid),
    (alive) => !alive,
  );
});

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

test('what waitUntil announced is finished before the instance is frozen, or ended for being idle', async () => {
  const code = `let finished = 0;
    export const handler = (event, context) => {
      if (event.rawPath === '/work') context.waitUntil(new Promise((r) => setTimeout(r, 1_200)).then(() => { finished += 1; console.log('finished'); }));
      return finished;
    };`;
  await e2e.publish('works', code, { freezeMs: 50 });
  assert.equal((await e2e.call('/works/work')).text, '0');
  await untilAll('works', 'frozen');
  const frozenAt = Date.now();
  const [record] = await eventually(
    async () => (await e2e.log('works')).filter(({ message }) => message === 'finished'),
    ({ length }) => length === 1,
  );
  assert.ok(Date.parse(String(record?.['time'])) <= frozenAt);
  assert.equal((await e2e.call('/works/')).text, '1');
  await e2e.publish('ends', code, { idleMs: 50 });
  await e2e.call('/ends/work');
  await eventually(
    () => statesOf('ends'),
    ({ length }) => length === 0,
  );
  await eventually(
    () => e2e.log('ends'),
    (records) => records.some(({ message }) => message === 'finished'),
  );
});

test('agent killed -9 with frozen instances: the next one thaws them, and requests find them', async () => {
  const born = 'const born = Math.random(); export const handler = () => born;';
  await e2e.publish('adopted', born, { freezeMs: 50 });
  const { text } = await e2e.call('/adopted/');
  await untilAll('adopted', 'frozen');
  await killRole(e2e.platform, 'agent');
  const after = await e2e.call('/adopted/');
  assert.equal(after.text, text);
  await untilAll('adopted', 'frozen');
  assert.deepEqual([(await e2e.call('/adopted/')).text], [text]);
});

test('gateway killed -9 with frozen instances: its successor has them thawed', async () => {
  await e2e.publish('outlives', 'const born = Math.random(); export const handler = () => born;', { freezeMs: 50 });
  const { text } = await e2e.call('/outlives/');
  await untilAll('outlives', 'frozen');
  await killRole(e2e.platform, 'gateway');
  const after = await e2e.call('/outlives/');
  assert.deepEqual([after.text, startOf(after)], [text, 'thawed']);
});

test('provisioned instances are there before traffic, are never frozen, and come again when one crashes', async () => {
  await e2e.publish('kept', 'export const handler = () => new Promise((r) => setTimeout(r, 1_000, 1));', {
    minimum: 2,
    maximum: 3,
    freezeMs: 50,
    idleMs: 100,
  });
  assert.equal((await describe('kept')).provisioned?.ready, 2, 'they are there when the deploy ends');
  await pause(600);
  assert.deepEqual(await statesOf('kept'), ['idle', 'idle']);
  const starts = (await Promise.all([e2e.call('/kept/'), e2e.call('/kept/'), e2e.call('/kept/')])).map(startOf);
  assert.deepEqual(starts.sort(), ['cold', 'provisioned', 'provisioned'], 'what is too much for them is started');
  const { instances } = await describe('kept');
  const victim = instances.find(({ provisioned }) => provisioned);
  assert.ok(victim !== undefined);
  process.kill(victim.pid, 'SIGKILL');
  await eventually(
    () => describe('kept'),
    (now) =>
      now.provisioned?.ready === 2 &&
      now.instances.length === 2 &&
      now.instances.every(({ provisioned, instanceId }) => provisioned && instanceId !== victim.instanceId),
  );
  assert.match(swiftlet('describe', 'kept'), /provisioned +2 of 2 ready/);
  assert.match(await e2e.platform.api.metrics(), /swiftlet_provisioned_ready\{.*function="kept"\} 2/);
});

test('provisioned instances that cannot be started: how many are there, and why the others are not', async () => {
  await e2e.publish('broken', 'throw new Error("not today"); export const handler = () => 1;', { minimum: 1 });
  const { provisioned } = await eventually(
    () => describe('broken'),
    (now) => now.provisioned?.failed !== undefined,
  );
  assert.deepEqual([provisioned?.requested, provisioned?.ready, provisioned?.failed?.code], [1, 0, 'InitError']);
  assert.match(swiftlet('describe', 'broken'), /provisioned +0 of 1 ready; InitError: .*not today/);
  await e2e.platform.api.remove('broken');
});

test('a new version gets its provisioned instances, and the old one’s go', async () => {
  const code = (word: string) => `export const handler = () => "${word}";`;
  for (const word of ['old', 'new']) {
    await e2e.publish('moved', code(word), { minimum: 1 });
    await eventually(
      () => describe('moved'),
      ({ provisioned, instances }) => provisioned?.ready === 1 && instances.length === 1,
    );
    const answer = await e2e.call('/moved/');
    assert.deepEqual([answer.text, startOf(answer)], [`"${word}"`, 'provisioned']);
  }
});

test('one-shot: every request gets a fresh sandbox, and nothing of one is seen by the next', async () => {
  const code = `import { existsSync, writeFileSync } from 'node:fs';
    let calls = 0;
    export const handler = () => {
      const seen = existsSync('/tmp/mark');
      writeFileSync('/tmp/mark', 'x');
      return { calls: ++calls, seen, leaked: globalThis.leaked ?? null, mine: (globalThis.leaked = Math.random()) };
    };`;
  await e2e.publish('once', code, { process: 'one-shot' });
  const one = await e2e.call('/once/');
  const others = [await e2e.call('/once/'), ...(await Promise.all(Array.from({ length: 4 }, () => e2e.call('/once/'))))];
  for (const answer of [one, ...others]) {
    assert.deepEqual([answer.json['calls'], answer.json['seen'], answer.json['leaked'], startOf(answer)], [1, false, null, 'cold']);
  }
  assert.equal(new Set([one, ...others].map(({ json }) => json['mine'])).size, 6);
  await eventually(
    () => statesOf('once'),
    ({ length }) => length === 0,
  );
});

test('one-shot: what waitUntil announced is finished before its sandbox is ended', async () => {
  const code = `export const handler = (event, context) => {
    context.waitUntil(new Promise((r) => setTimeout(r, 400)).then(() => console.log('finished')));
    return 1;
  };`;
  await e2e.publish('lingers', code, { process: 'one-shot' });
  await e2e.call('/lingers/');
  await eventually(
    () => statesOf('lingers'),
    ({ length }) => length === 0,
  );
  await eventually(
    () => e2e.log('lingers'),
    (records) => records.some(({ message }) => message === 'finished'),
  );
});

test('a stop ends frozen instances, too', async () => {
  await e2e.publish('last', 'export const handler = () => 1;', { freezeMs: 50 });
  await e2e.call('/last/');
  await untilAll('last', 'frozen');
  const sandboxes = (await e2e.platform.api.instances('last')).map(({ pid }) => pid);
  const platform = processTree(e2e.platform.pid).map(({ pid }) => pid);
  await e2e[Symbol.asyncDispose]();
  assert.deepEqual([...sandboxes, ...platform].filter(isAlive), []);
});
