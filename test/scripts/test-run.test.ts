/** What runs the tests. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { packageFolder } from '../../src/role/package-folder.ts';
import { eventually } from '../e2e/functions.ts';
import { mayShare } from '../../scripts/test-order.ts';

test('a file whose process does not end after its tests is ended with all that it has started, and the next ones run', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-test-run-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const child = join(folder, 'child');
  const open = `import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs'; import { test } from 'node:test';
    test('leaves something open', () => { writeFileSync('${child}', String(spawn('sleep', ['600'], { detached: true }).pid)); });`;
  const files = { 'open.test.ts': open, 'sound.test.ts': "import { test } from 'node:test'; test('ends', () => {});" };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const run = spawn(process.execPath, ['scripts/test.ts', ...Object.keys(files).map((name) => join(folder, name))], {
    cwd: packageFolder,
    // Without the context of this test it is a run of its own.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, SWIFTLET_TEST_FILE_LIMIT_MS: '3000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [shown, [code]] = await Promise.all([text(run.stdout), once(run, 'exit') as Promise<[number]>]);
  assert.equal(code, 1, shown);
  assert.match(shown, /open\.test\.ts did not end within 3 s: .* all of them have ended and something is left open/);
  assert.match(shown, /✔ ends /);
  assert.match(shown, /3 tests in 2 files, 1 failed, 0 skipped/);
  // Ended is enough: whose process it is now may not have noticed yet.
  const left = () => readFileSync(`/proc/${readFileSync(child, 'utf8')}/cmdline`, 'utf8');
  await eventually(
    () => (existsSync(`/proc/${readFileSync(child, 'utf8')}`) ? left() : ''),
    (command) => command === '',
  );
});

test('every file that may run beside others is there', () => {
  const all = globSync('test/e2e/*.test.ts', { cwd: packageFolder });
  assert.ok(all.filter(mayShare).length > 20);
  assert.ok(!mayShare('test/e2e/exhaustion.test.ts'));
});
