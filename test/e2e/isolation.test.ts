/** The sandbox table of the threat model, from inside real sandboxes. Needs root, as full isolation does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import os from 'node:os';
import { hasSysAdmin } from '../../src/agent/isolation.ts';
import { type E2e, openE2e } from './functions.ts';

const skip = hasSysAdmin() ? false : 'full isolation needs root';
let e2e: E2e;
before(async () => {
  if (skip === false) e2e = await openE2e();
});
after(() => (skip === false ? e2e[Symbol.asyncDispose]() : undefined));

/** Runs an expression in a fresh sandbox. */
async function inside(name: string, expression: string, imports = ''): Promise<unknown> {
  await e2e.publish(
    name,
    `import fs from 'node:fs'; import os from 'node:os'; import { execFileSync, spawnSync } from 'node:child_process'; ${imports}\nexport const handler = async () => ({ value: await (${expression}) });`,
  );
  const answer = await e2e.call(`/${name}/`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json['value'];
}

test('no capabilities, no new privileges, a filter, a user of its own', { skip }, async () => {
  const status = String(await inside('status', "fs.readFileSync('/proc/self/status', 'utf8')"));
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.match(status, new RegExp(`^${set}:\\s+0+$`, 'm'));
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  assert.match(status, /^Seccomp:\s+2$/m);
  assert.match(status, /^Uid:\s+1000\s/m);
});

test('two sandboxes have different host users', { skip }, async () => {
  await inside('uid-a', '1');
  await inside('uid-b', '1');
  const pids = [...(await e2e.platform.api.instances('uid-a')), ...(await e2e.platform.api.instances('uid-b'))].map(({ pid }) => pid);
  const { readFileSync } = await import('node:fs');
  const uids = pids.map((pid) => /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  assert.equal(new Set(uids).size, 2);
  assert.ok(uids.every((uid) => Number(uid) > 1_000_000_000));
});

test('only its own processes, descriptors and environment are to be seen', { skip }, async () => {
  const seen = (await inside(
    'pids',
    "fs.readdirSync('/proc').filter((n) => Number(n)).map((n) => [Number(n), fs.readFileSync('/proc/' + n + '/comm', 'utf8').trim(), n === String(process.pid)])",
  )) as [pid: number, name: string, isItself: boolean][];
  // bubblewrap's first process and the runtime: there is nobody else, not even as a number.
  assert.deepEqual(
    seen.map(([, name, isItself]) => [name, isItself]),
    [
      ['bwrap', false],
      ['node-MainThread', true],
    ],
  );
  assert.equal(seen[0]?.[0], 1);
  const targets = (await inside(
    'fds',
    "fs.readdirSync('/proc/self/fd').map((n) => { try { return n + ' ' + fs.readlinkSync('/proc/self/fd/' + n); } catch { return ''; } })",
  )) as string[];
  const foreign = targets.filter((target) => !/^$| (\/dev\/null|.*out\.fifo|pipe:.*|socket:.*|anon_inode:.*|\/proc\/.*)$/.test(target));
  assert.deepEqual(foreign, []);
  const environment = (await inside('env', 'process.env')) as Record<string, string>;
  assert.deepEqual(
    Object.keys(environment).filter((name) => name.includes('SWIFTLET') || name.includes('TOKEN')),
    [],
  );
  assert.equal(await inside('host', 'os.hostname()'), 'sandbox');
});

test('nothing can be written but /tmp', { skip }, async () => {
  const tried =
    "['/a', '/etc/a', '/usr/a', '/var/task/a', '/var/runtime/a', '/var/lang/bin/a', '/dev/a', '/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger'].map((p) => { try { fs.writeFileSync(p, 'x'); return p; } catch { return ''; } }).filter(Boolean)";
  assert.deepEqual(await inside('writes', tried), []);
  assert.equal(await inside('tmp', "(fs.writeFileSync('/tmp/a', 'x'), fs.readFileSync('/tmp/a', 'utf8'))"), 'x');
});

test('the host’s network is not there, only a way out that is its own', { skip }, async () => {
  const interfaces = (await inside('net', 'os.networkInterfaces()')) as Record<string, { address: string }[]>;
  assert.deepEqual(Object.keys(interfaces), ['lo', 'eth0']);
  const hosts = new Set(Object.values(os.networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address)));
  for (const { address } of interfaces['eth0'] ?? []) assert.ok(!hosts.has(address), address);
  const { port } = new URL(e2e.platform.gatewayUrl);
  const refused = await inside(
    'connects',
    `new Promise((r) => net.connect(${port}, '127.0.0.1').on('error', (e) => r(e.code)).on('connect', () => r('connected')))`,
    "import net from 'node:net';",
  );
  assert.equal(refused, 'ECONNREFUSED');
});

test('system calls off the list fail', { skip }, async () => {
  const programs = [
    ['unshare', '-U', 'true'],
    ['unshare', '-n', 'true'],
    ['mount', '-t', 'tmpfs', 'none', '/tmp'],
    ['mknod', '/tmp/dev', 'c', '1', '3'],
    ['nsenter', '-t', '1', '-m', 'true'],
    ['dmesg'],
    ['swapon', '/tmp/x'],
    ['date', '-s', '2000-01-01'],
    ['chroot', '/tmp', 'true'],
  ];
  const passed = await inside(
    'calls',
    `${JSON.stringify(programs)}.filter(([c, ...a]) => spawnSync(c, a).status === 0).map((p) => p.join(' '))`,
  );
  assert.deepEqual(passed, []);
});

test('setuid programs gain nothing', { skip }, async () => {
  const uid = await inside(
    'suid',
    "fs.readdirSync('/usr/bin').filter((n) => { try { return fs.statSync('/usr/bin/' + n).mode & 0o4000; } catch { return false; } }).length >= 0 && spawnSync('su', ['-c', 'id -u']).status",
  );
  assert.notEqual(uid, 0);
});

test('what one version left in /tmp and in memory, no other sees', { skip }, async () => {
  const code = (n: number) =>
    `import fs from 'node:fs'; export const handler = () => { const seen = fs.readdirSync('/tmp'); fs.writeFileSync('/tmp/secret${n}', 'x'); const before = globalThis.secret; globalThis.secret = ${n}; return { seen, before }; };`;
  await e2e.publish('leaves', code(1));
  await e2e.call('/leaves/');
  await e2e.publish('leaves', code(2));
  assert.deepEqual((await e2e.call('/leaves/')).json, { seen: [] });
});
