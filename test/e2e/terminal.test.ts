/** A platform in a terminal: Ctrl-C, and the terminal closed. The terminal is one without a size, as some containers have. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort } from '../../bench/free-port.ts';
import { processTree } from '../../bench/processes.ts';
import { packageFolder } from '../../src/role/package-folder.ts';
import { eventually } from './functions.ts';
import { runFolderOf } from './platform-processes.ts';

const main = join(packageFolder, 'src', 'cli', 'main.ts');

for (const [what, end] of [
  ['Ctrl-C', (terminal: ReturnType<typeof spawn>) => terminal.stdin?.write('\x03')],
  ['a closed terminal', (terminal: ReturnType<typeof spawn>) => terminal.kill('SIGKILL')],
] as const) {
  test(`${what} stops the platform, and nothing is left`, async () => {
    const home = mkdtempSync(join(tmpdir(), 'swiftlet-terminal-'));
    const ports = {
      SWIFTLET_GATEWAY_PORT: String(await freePort()),
      SWIFTLET_API_PORT: String(await freePort()),
      SWIFTLET_LAMBDA_PORT: 'off',
    };
    const terminal = spawn('script', ['-qec', `exec ${process.execPath} ${main} up`, '/dev/null'], {
      env: { ...process.env, ...ports, SWIFTLET_HOME: home, SWIFTLET_POOL_SIZE: '1' },
    });
    try {
      let shown = '';
      terminal.stdout.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
      });
      await eventually(
        () => shown,
        (text) => text.includes('Make a function'),
        30_000,
      );
      const running = processTree(terminal.pid ?? 0).filter(({ pid }) => pid !== terminal.pid);
      assert.ok(running.length >= 6, JSON.stringify(running));
      const closed = once(terminal, 'close');
      end(terminal);
      await closed;
      await eventually(
        () => running.filter(({ pid, title }) => processTree(pid).some((now) => now.title === title && title !== '')),
        (left) => left.length === 0,
      );
      assert.ok(!existsSync(runFolderOf(process.getuid?.() ?? 0, home)));
    } finally {
      terminal.kill('SIGKILL');
      rmSync(home, { recursive: true, force: true });
    }
  });
}
