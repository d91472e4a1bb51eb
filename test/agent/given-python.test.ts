/** An interpreter that somebody names, in a folder that sandboxes do not have by themselves. */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { preparePython } from '../../src/agent/runtimes/python-runtime.ts';
import { openUnderTest } from './driver-under-test.ts';

const host = '/usr/bin/python3';

/** What is copied from the host's: an interpreter, and a library that is found from it. Not in /tmp, where sandboxes have their own. */
function prefixOf(t: TestContext): string {
  const prefix = mkdtempSync('/var/tmp/swiftlet-python-');
  t.after(() => rmSync(prefix, { recursive: true }));
  chmodSync(prefix, 0o755);
  mkdirSync(join(prefix, 'bin'));
  mkdirSync(join(prefix, 'lib'));
  copyFileSync(host, join(prefix, 'bin', 'python3'));
  for (const name of readdirSync('/usr/lib').filter((one) => /^python3\.\d+$/.test(one))) {
    symlinkSync(join('/usr/lib', name), join(prefix, 'lib', name));
  }
  return prefix;
}

async function prepared(t: TestContext, python: string) {
  const folder = mkdtempSync('/var/tmp/swiftlet-runtimes-');
  t.after(() => rmSync(folder, { recursive: true }));
  const warnings: string[] = [];
  const runtimes = new Map(await preparePython(folder, python, (message) => warnings.push(message)));
  return { runtimes, warnings };
}

test('its sandboxes see its folder, read-only, and run it', async (t) => {
  const prefix = prefixOf(t);
  const { runtimes, warnings } = await prepared(t, join(prefix, 'bin', 'python3'));
  assert.deepEqual(warnings, []);
  assert.deepEqual(runtimes.get('python3')?.shown, { source: prefix, target: prefix });
  const folder = mkdtempSync('/var/tmp/swiftlet-given-');
  await using under = openUnderTest({ isolation: 'bubblewrap', launched: false }, folder, undefined, runtimes);
  t.after(() => rmSync(folder, { recursive: true }));
  const sandbox = await under.sandboxes().boot({ runtime: 'python3', memoryMiB: 128 });
  const code = join(folder, 'code');
  mkdirSync(code);
  const check = `import sys\nassert sys.executable == '${prefix}/bin/python3', sys.executable\ntry:\n    open('${prefix}/x', 'w')\nexcept OSError: pass\nelse: raise AssertionError\n`;
  writeFileSync(join(code, 'index.py'), `${check}def handler(event, context): return 1\n`);
  sandbox.connection.dedicate({
    runtime: 'python3',
    function: 'given',
    version: 1,
    instanceId: 'given',
    handler: 'index.handler',
    environment: {},
    memoryMiB: 128,
    timeoutMs: 1_000,
    initTimeoutMs: 10_000,
    concurrency: 1,
  });
  const outcome = await sandbox.connection.load(await sandbox.attach(code));
  assert.equal(outcome.kind, 'initialised', JSON.stringify(outcome));
  assert.ok(!existsSync(join(prefix, 'x')));
  sandbox.kill();
  await sandbox.ended;
});

for (const [what, script, why] of [
  ['that is none', 'exit 1', /cannot run our runtime/],
  [
    'that is too old',
    `echo '{"version":[3,8],"prefix":"/usr","interpreter":"/usr/bin/python3.8"}'`,
    /it is Python 3\.8; 3\.9 is the oldest/,
  ],
  [
    'where sandboxes have their own',
    `echo '{"version":[3,12],"prefix":"/tmp/x","interpreter":"/tmp/x/bin/python3"}'`,
    /installed in \/tmp\/x/,
  ],
] as const) {
  test(`an interpreter ${what} is left out, with the reason`, async (t) => {
    const folder = mkdtempSync('/var/tmp/swiftlet-script-');
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'python3'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const { runtimes, warnings } = await prepared(t, join(folder, 'python3'));
    assert.equal(runtimes.size, 0);
    assert.match(warnings.join(), why);
  });
}
