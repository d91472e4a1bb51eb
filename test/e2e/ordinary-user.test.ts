/** What a user without root's rights gets. */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { findBwrap } from '../../src/agent/isolation.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { killRole, processesOfUser, runFolderOf } from './platform-processes.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { publishLayers } from './publish-layers.ts';
import { ordinaryUser } from './ordinary-user.ts';

const user = ordinaryUser();
const main = join(packageFolder, 'src', 'cli', 'main.ts');
let e2e: E2e;
before(async () => {
  e2e = await openE2e({ user });
});
after(() => user[Symbol.dispose]());

/** The command line as this user has it. */
function swiftlet(...argument: string[]) {
  const [program = '', ...rest] = user.command([process.execPath, main, ...argument]);
  const { home, apiUrl } = e2e.platform;
  return promisify(execFile)(program, rest, { env: { ...process.env, SWIFTLET_HOME: home, SWIFTLET_API_URL: apiUrl, NO_COLOR: '1' } });
}

test('the table at the start tells what is in force and what is missing', async () => {
  const shown = await eventually(
    () => readFileSync(e2e.platform.logPath, 'utf8'),
    (text) => text.includes('Swiftlet runs.'),
  );
  assert.match(shown, /^namespaces +in force/m);
  assert.match(shown, /^uid per sandbox +missing +all sandboxes run as your user.*\n +→ start Swiftlet as root/m);
  assert.match(shown, /^memory, process and CPU limits +(missing .*\n +→ start Swiftlet as root|in force)/m);
  assert.match(shown, /^freezing of idle instances +(missing .*idle instances stay ready|in force)/m);
  assert.match(shown, /^system-call filter +in force/m);
  assert.match(shown, /^network +in force/m);
  assert.match(shown, /^outgoing traffic +missing +none: only root .*\n +→ start Swiftlet as root/m);
});

test('doctor tells the same', async () => {
  const { stdout } = await swiftlet('doctor');
  assert.match(stdout, /^uid per sandbox +missing/m);
});

test('a folder is deployed and called, a second one starts cold, and both are in the log', async () => {
  await swiftlet('deploy', join(packageFolder, 'examples', 'hello'));
  assert.equal((await e2e.call('/hello/?name=you')).status, 200);
  await e2e.publish('second', 'export const handler = (e) => { console.log("at " + e.rawPath); return "there"; };');
  const first = await e2e.call('/second/place');
  assert.deepEqual([first.text, first.headers.get('x-swiftlet-start')], ['"there"', 'cold']);
  assert.equal((await e2e.call('/second/')).headers.get('x-swiftlet-start'), 'warm');
  await eventually(
    () => swiftlet('logs', 'second'),
    ({ stdout }) => stdout.includes('at /place') && stdout.includes('cold start'),
  );
});

const failures: [what: string, code: string, status: number, error: string][] = [
  ['throws', 'export const handler = () => { throw new Error("x"); };', 502, 'HandlerError'],
  ['exits', 'export const handler = () => process.exit(3);', 502, 'FunctionCrashed'],
  ['spins', 'process.on("SIGTERM", () => {}); export const handler = () => { for (;;); };', 504, 'Timeout'],
  [
    'hoards',
    'export const handler = () => { const all = []; for (;;) all.push(new Array(1000).fill({ a: Math.random() })); };',
    502,
    'OutOfMemory',
  ],
  ['init-throws', 'throw new Error("no start");', 502, 'InitError'],
];
for (const [what, code, status, error] of failures) {
  test(`${what}: ${status} ${error}`, async () => {
    await e2e.publish(what, code, { timeoutMs: error === 'Timeout' ? 300 : 10_000 });
    const answer = await e2e.call(`/${what}/`);
    assert.deepEqual([answer.status, answer.json['code']], [status, error], answer.text);
  });
}

test('a sandbox sees itself only, and cannot change its code', async () => {
  await e2e.publish(
    'looks',
    `import fs from 'node:fs'; import os from 'node:os';
    const open = ['/var/task/index.mjs', '/var/task/a', '/etc/a', '/usr/a', '/var/runtime/a'].filter((path) => { try { fs.writeFileSync(path, 'x'); return true; } catch { return false; } });
    const status = fs.readFileSync('/proc/self/status', 'utf8');
    export const handler = () => ({ open, uid: os.userInfo().uid, pids: fs.readdirSync('/proc').filter(Number).length, net: Object.keys(os.networkInterfaces()), locks: [...status.matchAll(/^(CapEff|NoNewPrivs|Seccomp):\\s+(\\w+)$/gm)].map(([, k, v]) => k + '=' + Number('0x' + v)) });`,
  );
  const { json } = await e2e.call('/looks/');
  assert.deepEqual(json, { open: [], uid: 1000, pids: 2, net: ['lo'], locks: ['CapEff=0', 'NoNewPrivs=1', 'Seccomp=2'] });
});

test('a fork bomb meets a limit, and others go on', async () => {
  await e2e.publish('bystander', 'export const handler = () => "fine";');
  await e2e.publish(
    'forks',
    `import { spawn } from 'node:child_process'; const refused = (child) => new Promise((r) => child.once('error', (e) => r(e.code)).once('spawn', () => r('')));
    export const handler = async () => { for (let count = 0; count < 400; count++) { const code = await refused(spawn('/bin/sleep', ['60'])); if (code !== '') return { code, count }; } return 'none'; };`,
  );
  const { json } = await e2e.call('/forks/');
  assert.equal(json['code'], 'EAGAIN');
  assert.ok(Number(json['count']) <= 128);
  assert.equal((await e2e.call('/bystander/')).text, '"fine"');
});

test('double forks are gone when their instance is', async () => {
  const mark = `601.${process.pid}`;
  await e2e.publish(
    'daemon',
    `import { spawn } from 'node:child_process'; export const handler = () => { spawn('/bin/sh', ['-c', 'trap "" TERM HUP; (sleep ${mark} &) ; sleep ${mark}'], { detached: true, stdio: 'ignore' }).unref(); for (;;); };`,
    { timeoutMs: 300 },
  );
  assert.equal((await e2e.call('/daemon/')).json['code'], 'Timeout');
  await eventually(
    () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(`sleep ${mark}`),
    (lives) => !lives,
  );
});

test('layers are linked where nothing can be mounted', async () => {
  const layers = await publishLayers(e2e, {
    one: { 'nodejs/node_modules/greet/index.js': 'module.exports = 1;' },
    two: { 'data.txt': 'two' },
  });
  const code = 'const fs = require("fs"); exports.handler = () => [require("greet"), fs.readFileSync("/opt/data.txt", "utf8")];';
  await e2e.publish('layered', { 'index.cjs': code }, { layers });
  assert.equal((await e2e.call('/layered/')).text, '[1,"two"]');
});

test('a killed role comes back, and warm functions go on', async () => {
  await e2e.publish('born', 'const born = Math.random(); export const handler = () => born;');
  const { text } = await e2e.call('/born/');
  for (const role of ['agent', 'relay', 'control', 'gateway', 'events']) {
    await killRole(e2e.platform, role);
    assert.equal((await e2e.call('/born/')).text, text, `after a kill of ${role}`);
  }
});

test('a stop leaves no process and no run folder', async () => {
  const { pid, home } = e2e.platform;
  assert.ok(processesOfUser(user.uid, pid).length > 5);
  assert.ok(existsSync(runFolderOf(user.uid, home)));
  await e2e[Symbol.asyncDispose]();
  await eventually(
    () => processesOfUser(user.uid, pid),
    (left) => left.length === 0,
  );
  assert.ok(!existsSync(runFolderOf(user.uid, home)));
  if (user.uid !== process.getuid?.()) assert.ok(!existsSync(`/tmp/swiftlet-${user.uid}`));
});

test('the drivers keep their contract for this user too', () => {
  const files = ['bubblewrap', 'process', 'launched'].map((name) => join(packageFolder, 'test', 'agent', `${name}-driver.test.ts`));
  const [program = '', ...rest] = user.command([process.execPath, '--test', ...files]);
  const env = { ...process.env };
  // Set for those that the test runner runs itself; this is a runner of its own.
  Reflect.deleteProperty(env, 'NODE_TEST_CONTEXT');
  const { status, stdout } = spawnSync(program, rest, { encoding: 'utf8', env });
  assert.equal(status, 0, stdout.slice(-4_000));
  assert.match(stdout, /^. pass [1-9]\d+$/m);
});

const cannotHide = process.getuid?.() === 0 ? false : 'only root can hide a program';
test('without bubblewrap it refuses, and says the one command that helps', { skip: cannotHide }, () => {
  const [program = '', ...rest] = user.without([findBwrap() ?? ''], [process.execPath, main, 'up']);
  const { status, stderr } = spawnSync(program, rest, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /bubblewrap is not installed \(remedy: sudo apt-get install -y bubblewrap\)/);
  assert.match(stderr, /--isolation process/);
});
