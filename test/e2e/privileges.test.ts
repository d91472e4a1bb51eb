/** What a sandbox's user may touch, and what it can gain: files of the kernel and of cgroups, setuid programs, what tells of the host. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, readdirSync, realpathSync, rmSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasSysAdmin } from '../../src/agent/isolation.ts';
import { scratchBytes, scratchInodes } from '../../src/model/limits.ts';
import { type E2e, openE2e } from './functions.ts';

const skip = hasSysAdmin() ? false : 'full isolation needs root';
let e2e: E2e;
before(async () => {
  if (skip === false) e2e = await openE2e();
});
after(() => (skip === false ? e2e[Symbol.asyncDispose]() : undefined));

const imports =
  "import fs from 'node:fs'; import os from 'node:os'; import { join } from 'node:path'; import { execFileSync, spawnSync } from 'node:child_process';";

/** Runs a function's body in a fresh sandbox. */
async function inside(name: string, body: string, config: Parameters<E2e['publish']>[2] = {}, files: Record<string, string> = {}) {
  await e2e.publish(name, { ...files, 'index.mjs': `${imports}\nexport const handler = async () => {${body}};` }, config);
  const { status, json, text } = await e2e.call(`/${name}/`);
  assert.equal(status, 200, text);
  return json;
}

test('no file of the kernel can be written, below /proc or elsewhere', { skip }, async () => {
  const { written, looked, sys } = await inside(
    'kernel-files',
    `const written = []; let looked = 0;
    const own = /^\\/proc\\/(self|thread-self|\\d+)(\\/|$)/;
    const walk = (folder, depth) => {
      let entries = []; try { entries = fs.readdirSync(folder, { withFileTypes: true }); } catch {}
      for (const entry of entries) {
        const path = join(folder, entry.name);
        if (own.test(path) || entry.isSymbolicLink()) continue;
        if (entry.isDirectory()) { if (depth > 0) walk(path, depth - 1); continue; }
        looked++;
        try { fs.closeSync(fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK)); written.push(path); } catch {}
      }
      if (folder.startsWith('/proc')) return;
      try { fs.writeFileSync(join(folder, '.x'), ''); written.push(folder); } catch {}
    };
    walk('/proc', 8);
    for (const folder of fs.readdirSync('/')) if (!['proc', 'tmp'].includes(folder)) walk('/' + folder, 2);
    return { written: written.filter((path) => path !== '/dev/shm'), looked, sys: fs.existsSync('/sys') };`,
    { timeoutMs: 60_000 },
  );
  assert.ok(Number(looked) > 500, `looked at ${String(looked)} files`);
  // Devices that keep nothing, and the terminals of a namespace that has none.
  const harmless = /^\/dev\/(null|zero|full|random|urandom|tty|ptmx|pts\/ptmx)$/;
  assert.deepEqual(
    (written as string[]).filter((path) => !harmless.test(path)),
    [],
  );
  assert.equal(sys, false, 'there is a /sys, and cgroups below it');
});

test('no cgroup is mounted inside', { skip }, async () => {
  const { mounts } = await inside('cgroups', "return { mounts: fs.readFileSync('/proc/self/mounts', 'utf8') };");
  assert.ok(!String(mounts).includes('cgroup'), String(mounts));
});

test('setuid programs of the system are programs like any other', { skip }, async () => {
  // With AT_SECURE, as for a program that gained rights, the loader prints nothing.
  const { programs } = await inside(
    'setuid',
    `const found = [];
    for (const folder of ['/usr/bin', '/usr/sbin', '/usr/lib/openssh', '/usr/lib/dbus-1.0'])
      for (const name of fs.existsSync(folder) ? fs.readdirSync(folder) : []) {
        const path = join(folder, name);
        let mode = 0; try { mode = fs.statSync(path).mode; } catch {}
        if ((mode & 0o6000) === 0 || (mode & 0o001) === 0) continue;
        const { stdout } = spawnSync(path, ['--version'], { env: { LD_SHOW_AUXV: '1' }, encoding: 'utf8', timeout: 500, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'ignore'] });
        found.push({ path, secure: /AT_SECURE:\\s+(\\d)/.exec(stdout)?.[1], uid: /AT_EUID:\\s+(\\d+)/.exec(stdout)?.[1], gid: /AT_EGID:\\s+(\\d+)/.exec(stdout)?.[1] });
      }
    return { programs: found };`,
    { timeoutMs: 60_000 },
  );
  const found = programs as { path: string; secure: string; uid: string; gid: string }[];
  assert.ok(
    found.some(({ path }) => path === '/usr/bin/passwd'),
    'a Debian has some',
  );
  for (const { path, ...seen } of found) assert.deepEqual(seen, { secure: '0', uid: '1000', gid: '1000' }, path);
});

test('a setuid program among the code gains nothing, even when root himself put it there', { skip }, async () => {
  const body =
    "const { stdout, error } = spawnSync('/var/task/tool', { env: { LD_SHOW_AUXV: '1' }, encoding: 'utf8' }); return { stdout, error: error?.code };";
  await e2e.publish('planted', { tool: 'a file to be replaced', 'index.mjs': `${imports}\nexport const handler = () => {${body}};` });
  const code = join(e2e.platform.home, 'agent', 'code', 'default');
  const tools = readdirSync(code)
    .map((digest) => join(code, digest, 'tool'))
    .filter((path) => existsSync(path));
  assert.equal(tools.length, 1);
  const [tool = ''] = tools;
  rmSync(tool);
  copyFileSync(realpathSync('/usr/bin/true'), tool);
  chmodSync(tool, 0o6755);
  const { json } = await e2e.call('/planted/');
  assert.equal(json['error'], undefined);
  assert.match(String(json['stdout']), /AT_EUID:\s+1000\n/);
  assert.match(String(json['stdout']), /AT_SECURE:\s+0\n/);
});

test('a program that the function itself makes setuid gains nothing', { skip }, async () => {
  const { stdout } = await inside(
    'makes-setuid',
    "fs.copyFileSync('/usr/bin/true', '/tmp/t'); fs.chmodSync('/tmp/t', 0o6755); return { stdout: spawnSync('/tmp/t', { env: { LD_SHOW_AUXV: '1' }, encoding: 'utf8' }).stdout };",
  );
  assert.match(String(stdout), /AT_SECURE:\s+0\n/);
});

test('nothing that a sandbox may read tells the host’s name, its folders, or the platform’s secrets', { skip }, async () => {
  const { seen } = await inside(
    'looks-around',
    `const seen = {}; const read = (path) => { try { return fs.readFileSync(path, 'utf8'); } catch { return ''; } };
    for (const pid of ['self', '1']) for (const name of ['environ', 'cmdline', 'maps', 'mountinfo', 'mounts', 'cgroup', 'status', 'comm'])
      seen[pid + '/' + name] = read('/proc/' + pid + '/' + name);
    for (const path of ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf', '/etc/passwd', '/proc/sys/kernel/hostname', '/proc/net/unix', '/proc/keys', '/proc/net/tcp']) seen[path] = read(path);
    seen.variables = JSON.stringify(process.env); seen.arguments = process.argv.join(' '); seen.hostname = os.hostname();
    return { seen };`,
  );
  const { token, home } = e2e.platform;
  const secrets = [token, hostname(), 'SWIFTLET_', 'supervisor'];
  for (const [where, text] of Object.entries(seen as Record<string, string>)) {
    for (const secret of secrets) assert.ok(!text.includes(secret), `${where} has ${secret}: ${text.slice(0, 2_000)}`);
    // A known gap, in docs/security.md: where mounts come from.
    if (!where.endsWith('mountinfo')) assert.ok(!text.includes(home), `${where} has ${home}: ${text.slice(0, 2_000)}`);
  }
});

test('/tmp and /dev/shm: so many bytes, so many files, and the host’s disk is as it was', { skip }, async () => {
  const before = statfsSync('/tmp');
  // Two scratch folders, each of which may be filled, within the memory that the function has.
  const { results } = await inside(
    'fills-scratch',
    `const results = {};
    for (const folder of ['/tmp', '/dev/shm']) {
      const { blocks, bsize, files } = fs.statfsSync(folder);
      let code, bytes = 0; const fd = fs.openSync(folder + '/full', 'w');
      try { for (const piece = Buffer.alloc(1 << 20); ; ) bytes += fs.writeSync(fd, piece); } catch (e) { code = e.code; }
      fs.closeSync(fd); fs.rmSync(folder + '/full');
      let inodes = 0, none; try { for (;; inodes++) fs.writeFileSync(folder + '/' + inodes, ''); } catch (e) { none = e.code; }
      fs.readdirSync(folder).forEach((name) => fs.rmSync(join(folder, name)));
      results[folder] = { code, bytes, none, inodes, limits: [blocks * bsize, files] };
    }
    return { results };`,
    { memoryMiB: 1024, timeoutMs: 60_000 },
  );
  for (const [folder, result] of Object.entries(results as Record<string, Record<string, unknown>>)) {
    assert.deepEqual([result['code'], result['none'], result['limits']], ['ENOSPC', 'ENOSPC', [scratchBytes, scratchInodes]], folder);
    assert.equal(result['bytes'], scratchBytes);
    assert.ok(Number(result['inodes']) < scratchInodes);
  }
  const after = statfsSync('/tmp');
  assert.ok(Math.abs(before.bfree - after.bfree) * before.bsize < 64 * 1024 * 1024);
});
