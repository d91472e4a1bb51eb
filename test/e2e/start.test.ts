/** A newcomer's way: a checkout with nothing installed, `npm start`, the line that it prints, Ctrl-C. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../bench/free-port.ts';
import { processTree } from '../../bench/processes.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { eventually } from './functions.ts';
import { runFolderOf } from './platform-processes.ts';

test('npm start installs, starts, deploys the examples and prints a line that works; Ctrl-C ends it all', {
  timeout: 180_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-start-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [checkout, home] = [join(folder, 'checkout'), join(folder, 'home')];
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: packageFolder, encoding: 'utf8' }).split('\0');
  for (const path of tracked.filter((name) => name !== '' && existsSync(join(packageFolder, name))))
    cpSync(join(packageFolder, path), join(checkout, path));
  const ports = {
    SWIFTLET_GATEWAY_PORT: String(await freePort()),
    SWIFTLET_API_PORT: String(await freePort()),
    SWIFTLET_LAMBDA_PORT: 'off',
  };
  // A process group of its own, as a shell gives it: Ctrl-C goes to all of it.
  const start = spawn('npm', ['start'], {
    cwd: checkout,
    env: { ...process.env, ...ports, SWIFTLET_HOME: home, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const group = start.pid ?? 0;
  const closed = once(start, 'close');
  t.after(() => {
    if (start.exitCode === null && start.signalCode === null) process.kill(-group, 'SIGKILL');
  });
  let shown = '';
  for (const stream of [start.stdout, start.stderr]) stream.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const line = await eventually(
    () => /^.*(curl .*)$/m.exec(shown)?.[1] ?? shown,
    (text) => text.startsWith('curl '),
    150_000,
  );
  assert.ok(!existsSync(join(checkout, 'node_modules', 'eslint')), 'what only developing needs was installed');
  const answer = await fetch(line.slice('curl '.length).trim());
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /you/);
  const running = processTree(group).map(({ pid }) => pid);
  assert.ok(running.length > 8);
  process.kill(-group, 'SIGINT');
  await closed;
  await eventually(
    () => running.filter((pid) => existsSync(`/proc/${pid}`)),
    (left) => left.length === 0,
  );
  assert.ok(!existsSync(runFolderOf(process.getuid?.() ?? 0, home)));
});
