/** A way out without root's rights: the same policies, of a platform that an ordinary user has started, by pasta. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pastaPath } from '../../src/agent/network/user/programs.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { type E2e, eventually, openE2e } from '../e2e/functions.ts';
import { needsRoot } from '../e2e/needs.ts';
import { ordinaryUser } from '../e2e/ordinary-user.ts';
import { killRole, processesOfUser } from '../e2e/platform-processes.ts';
import { caller, tryReaching } from './caller.ts';
import { openOutside, type Outside } from './outside.ts';

/** The host outside is made by root; the platform is not. */
const skip = needsRoot;
const user = ordinaryUser();
const main = join(packageFolder, 'src', 'cli', 'main.ts');
const atOnceMs = 1_000;

let e2e: E2e;
let outside: Outside;
before(async () => {
  if (skip !== false) return;
  outside = await openOutside({
    name: 'u',
    ranges: ['198.51.100.64/27', '2001:db8:c::/48'],
    nameServer: '198.51.100.65',
    names: { 'api.test': ['198.51.100.70'], 'other.test': ['198.51.100.71'], 'rebound.test': ['192.0.2.229'] },
  });
  e2e = await openE2e({ user, environment: { SWIFTLET_NETWORK_MODE: 'user', SWIFTLET_DNS: '198.51.100.65' } });
});
after(async () => {
  if (skip === false) {
    await e2e[Symbol.asyncDispose]();
    await outside[Symbol.asyncDispose]();
  }
  user[Symbol.dispose]();
});

const outcome = async (name: string, host: string, port = 80, kind = 'tcp'): Promise<string> => {
  const tried = await tryReaching(e2e, name, host, port, kind);
  assert.ok(tried.outcome === 'hello' || tried.ms < atOnceMs, `${host} took ${tried.ms} ms`);
  return tried.outcome;
};
const toldBy = async (name: string): Promise<string> =>
  (await e2e.log(name)).flatMap(({ level, message }) => (level === 'platform' ? [String(message)] : [])).join('\n');
const swiftlet = (command: readonly string[], environment: NodeJS.ProcessEnv = {}) => {
  const [program = '', ...rest] = command;
  return spawnSync(program, rest, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', ...environment } });
};

test('what is public is reached, by address and name, and nobody outside sees a sandbox', { skip }, async () => {
  await eventually(
    () => readFileSync(e2e.platform.logPath, 'utf8'),
    (text) => /^outgoing traffic +in force .*user-mode networking/m.test(text),
  );
  await e2e.publish('plain', caller);
  // Where this host has no IPv6, pasta has none either.
  const sixth = execFileSync('ip', ['-6', 'route', 'show', 'default'], { encoding: 'utf8' }) === '' ? [] : ['2001:db8:c::1'];
  for (const host of ['198.51.100.66', 'api.test', ...sixth]) assert.equal(await outcome('plain', host), 'hello', host);
  assert.ok(outside.heard.every(({ from }) => !/198\.1[89]\.|fd53:/.test(from)));
});

test('always closed: what is not public, and the host’s own addresses, also those that it gets', { skip }, async () => {
  const [, own = ''] = /src ([\d.]+)/.exec(execFileSync('ip', ['route', 'get', '203.0.113.1'], { encoding: 'utf8' })) ?? [];
  const closed = ['10.77.0.1', '169.254.169.254', '127.0.0.2', 'fd77::1', '::ffff:169.254.169.254', '192.0.2.229', own, 'rebound.test'];
  for (const host of closed) assert.match(await outcome('plain', host), /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EACCES)$/, host);
  for (const url of [e2e.platform.gatewayUrl, e2e.platform.apiUrl]) {
    for (const host of ['192.0.2.229', own, '127.0.0.1']) {
      assert.equal(await outcome('plain', host, Number(new URL(url).port)), 'ECONNREFUSED', host);
    }
  }
  const later = ['198.51.100.90/32', 'dev', 'lo'];
  assert.equal(await outcome('plain', '198.51.100.90'), 'hello');
  execFileSync('ip', ['addr', 'add', ...later]);
  try {
    await eventually(
      async () => {
        await tryReaching(e2e, 'plain', '198.51.100.90');
        return toldBy('plain');
      },
      (told) => told.includes('198.51.100.90:80 (TCP) was refused: it is an address of the host'),
    );
  } finally {
    execFileSync('ip', ['addr', 'delete', ...later]);
  }
});

test('lists hold: by range, by port, by name, and by what is denied; none is none', { skip }, async () => {
  await e2e.publish('lists', caller, { network: { allow: ['198.51.100.64/28:443', 'api.test:80'], deny: ['198.51.100.67'] } });
  const cases = [
    ['198.51.100.66', 443, 'hello'],
    ['198.51.100.66', 80, 'ECONNREFUSED'],
    ['198.51.100.67', 443, 'ECONNREFUSED'],
    ['198.51.100.70', 80, 'ECONNREFUSED'],
    ['api.test', 80, 'hello'],
    ['other.test', 80, 'ENOTFOUND'],
  ] as const;
  for (const [host, port, expected] of cases) assert.equal(await outcome('lists', host, port), expected, `${host}:${port}`);
  await eventually(
    () => toldBy('lists'),
    (text) => /198\.51\.100\.67:443 \(TCP\) was refused: the function’s "network.deny" has it/.test(text),
  );
  await e2e.publish('none', caller, { network: 'none' });
  assert.equal(await outcome('none', '198.51.100.66'), 'ECONNREFUSED');
  assert.equal(await outcome('none', 'api.test', 0, 'name'), 'ENOTFOUND');
  const metrics = await e2e.platform.api.metrics('agent');
  assert.match(metrics, /^swiftlet_network_connections_total{tenant="default",function="lists"} 2$/m);
});

test('a sandbox has no rights over its own network', { skip }, async () => {
  await e2e.publish(
    'rights',
    `import fs from 'node:fs'; import { spawnSync } from 'node:child_process';
    const caps = fs.readFileSync('/proc/self/status', 'utf8').match(/^Cap(Eff|Prm|Amb):.*$/gm);
    export const handler = () => ({ caps, link: spawnSync('/sbin/ip', ['link', 'set', 'eth0', 'down']).status, rules: spawnSync('/usr/sbin/nft', ['list', 'ruleset']).status });`,
  );
  const { json } = await e2e.call('/rights/');
  assert.ok(
    (json['caps'] as string[]).every((line) => /0{16}$/.test(line)),
    String(json['caps']),
  );
  assert.notEqual(json['link'], 0);
  assert.notEqual(json['rules'], 0);
});

test('private networks are not left out in silence', { skip }, async () => {
  const headers = { authorization: `Bearer ${e2e.platform.token}`, 'content-type': 'application/json' };
  const url = `${e2e.platform.apiUrl}/v1/networks/office`;
  const body = JSON.stringify({ ranges: ['10.20.0.0/16'], proxies: ['192.0.2.10', '192.0.2.11'] });
  assert.equal((await fetch(url, { method: 'PUT', headers, body })).status, 201);
  await e2e.publish('bound', caller, { network: { private: ['office'] } });
  const { state } = (await (await fetch(url, { headers })).json()) as { state: { state: string; detail: string } };
  assert.equal(state.state, 'failed');
  assert.match(state.detail, /private networks need root.*start Swiftlet as root/);
  assert.equal(await outcome('bound', '10.20.0.5'), 'ECONNREFUSED');
});

test('after kills of the agent and of pasta functions get out again', { skip }, async () => {
  await e2e.publish('keeps', caller);
  assert.equal(await outcome('keeps', '198.51.100.66'), 'hello');
  await killRole(e2e.platform, 'agent');
  assert.equal(await outcome('keeps', 'api.test'), 'hello', 'the instance that there was');
  await e2e.publish('fresh', caller);
  assert.equal(await outcome('fresh', 'api.test'), 'hello', 'a new one');
  const pasta = processesOfUser(user.uid, e2e.platform.pid).filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(pastaPath),
  );
  assert.equal(pasta.length, 1);
  for (const pid of pasta) process.kill(pid, 'SIGKILL');
  await eventually(
    async () => (await tryReaching(e2e, 'fresh', '198.51.100.66')).outcome,
    (seen) => seen === 'hello',
  );
});

test('a kill of the supervisor leaves no process, and neither does a stop', { skip }, async () => {
  const { pid } = e2e.platform;
  process.kill(pid, 'SIGKILL');
  await eventually(
    () => processesOfUser(user.uid, pid),
    (left) => left.length === 0,
  );
  const second = await openE2e({ user, poolSize: 0, environment: { SWIFTLET_NETWORK_MODE: 'user' } });
  assert.ok(processesOfUser(user.uid, second.platform.pid).length > 5);
  await second[Symbol.asyncDispose]();
  assert.deepEqual(processesOfUser(user.uid, second.platform.pid), []);
});

test('what is missing, and what cannot be, is said', { skip }, () => {
  const doctor = swiftlet(user.without([pastaPath], [process.execPath, main, 'doctor']), { SWIFTLET_NETWORK_MODE: 'user' });
  assert.match(doctor.stdout, /^outgoing traffic +missing +none: passt is not installed.*\n +→ sudo apt-get install -y passt/m);
  const cases: readonly (readonly [command: readonly string[], environment: NodeJS.ProcessEnv, said: RegExp])[] = [
    [[process.execPath, main], {}, /"user" is for those who are not root/],
    [user.command([process.execPath, main]), { SWIFTLET_ISOLATION: 'process' }, /leave one of both out/],
  ];
  for (const [command, environment, said] of cases) {
    const { status, stderr } = swiftlet([...command, 'up', '--network-mode', 'user'], environment);
    assert.notEqual(status, 0);
    assert.match(stderr, said);
  }
});
