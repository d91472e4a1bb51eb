/** What is decided in the runtime for Python, by tests in Python: its own module `unittest` runs them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { python, runtimeFolder } from './python-under-test.ts';

test('the units of the runtime for Python', () => {
  const { status, stderr } = spawnSync(python, ['-B', '-m', 'unittest', 'discover', '--start-directory', '.'], {
    cwd: fileURLToPath(new URL('units', import.meta.url)),
    env: { PYTHONPATH: runtimeFolder },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /Ran 1\d tests/);
});
