/** What is installed for which task, by a stand-in for npm. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { packageFolder } from '../../src/role/package-folder.ts';

test('a start installs what it runs, tests complete that, and what is there is not installed again', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'swiftlet-bootstrap-'));
  t.after(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const node = `node_modules/node-linux-${process.arch}/bin`;
  for (const name of ['bootstrap.cjs', 'system-packages.json']) cpSync(join(packageFolder, 'scripts', name), join(root, 'scripts', name));
  write('package-lock.json', '{}');
  write('src/cli/main.ts', '');
  write('bin/npm', `#!/bin/sh\necho "$*" >> asked\nmkdir -p ${node} && ln -sf ${process.execPath} ${node}/node\n`);
  chmodSync(join(root, 'bin/npm'), 0o755);
  const run = (task: string): string => {
    const PATH = [join(root, 'bin'), process.env['PATH']].join(delimiter);
    rmSync(join(root, 'asked'), { force: true });
    execFileSync(process.execPath, ['scripts/bootstrap.cjs', task], { cwd: root, env: { ...process.env, PATH }, stdio: 'ignore' });
    return existsSync(join(root, 'asked')) ? readFileSync(join(root, 'asked'), 'utf8') : '';
  };
  assert.match(run('cli'), /^ci .*--omit=dev/);
  assert.equal(run('cli'), '');
  assert.match(run('install'), /^install --no-save (?!.*--omit)/, 'what is missing only');
  assert.equal(run('install'), '');
  assert.equal(run('cli'), '', 'what is more stays');
  write('package-lock.json', '{ }');
  assert.match(run('install'), /^ci (?!.*--omit)/);
});
