/** A user's strict umask, when the platform was installed and when it is started. Matters to root, whose roles are users of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { demandReadableCode } from '../../src/cli/up/readable-code.ts';
import { openE2e } from './functions.ts';

const strict = (argument: readonly string[]) => ['/bin/sh', '-c', 'umask 077; exec "$@"', 'sh', ...argument];

test('a platform that is started with a strict umask serves', async () => {
  const e2e = await openE2e({ user: { own: () => undefined, command: strict } });
  try {
    await e2e.publish('plain', 'export const handler = () => "fine";');
    assert.equal((await e2e.call('/plain/')).text, '"fine"');
    assert.equal(statSync(join(e2e.platform.home, 'token')).mode & 0o777, 0o600);
  } finally {
    await e2e[Symbol.asyncDispose]();
  }
});

function checkout(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-checkout-'));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'node_modules', 'library'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{}');
  return folder;
}

test('code that all can read is accepted', (t) => {
  demandReadableCode(checkout(t));
});

for (const part of ['.', 'package.json', 'node_modules', 'node_modules/library']) {
  test(`an installation whose ${part} was made with a strict umask is refused, with the remedy, which helps`, (t) => {
    const folder = checkout(t);
    chmodSync(join(folder, part), part === 'package.json' ? 0o600 : 0o700);
    let message = '';
    try {
      demandReadableCode(folder);
    } catch (error) {
      message = String(error);
    }
    assert.match(message, /cannot read .*\(mode 0[67]00\).*umask/);
    const remedy = /: (chmod .*)$/.exec(message)?.[1] ?? 'false';
    assert.equal(spawnSync('/bin/sh', ['-c', remedy]).status, 0);
    demandReadableCode(folder);
  });
}
