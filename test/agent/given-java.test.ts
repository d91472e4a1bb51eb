/** Which Java is taken for functions, and what is said of one that is not. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsRoot } from '../e2e/needs.ts';
import { inspectJava, openJava } from '../../src/agent/runtimes/java-runtime.ts';

for (const [what, release, hasCompiler, why] of [
  ['that is none', undefined, true, /has no .*release that says its version/],
  ['that is too old', 'JAVA_VERSION="11.0.2"', true, /is Java 11\.0\.2; 17 is the oldest that is served/],
  ['without a compiler', 'JAVA_VERSION="21.0.2"', false, /is a JRE, without the compiler/],
  ['of a new line', 'JAVA_VERSION="25"\nJAVA_RUNTIME_VERSION="25+36-LTS"', true, undefined],
] as const) {
  test(`a Java ${what}`, { skip: needsRoot }, (t) => {
    const home = mkdtempSync('/usr/local/swiftlet-java-');
    t.after(() => rmSync(home, { recursive: true }));
    mkdirSync(join(home, 'bin'));
    const program = join(home, 'bin', 'java');
    writeFileSync(program, '');
    if (hasCompiler) writeFileSync(join(home, 'bin', 'javac'), '');
    if (release !== undefined) writeFileSync(join(home, 'release'), `${release}\n`);
    if (why === undefined) assert.deepEqual(inspectJava(program), { java: program, version: '25+36-LTS', major: 25 });
    else assert.throws(() => inspectJava(program), { code: 'RuntimeUnknown', message: why });
  });
}

test('one that sandboxes do not have, and none at all; who needs it is told with the remedy', async (t) => {
  const elsewhere = mkdtempSync('/var/tmp/swiftlet-java-');
  t.after(() => rmSync(elsewhere, { recursive: true }));
  writeFileSync(join(elsewhere, 'java'), '');
  assert.throws(() => inspectJava(join(elsewhere, 'java')), { code: 'RuntimeUnknown', message: /is not below \/usr/ });
  const java = openJava(elsewhere, undefined);
  assert.equal(java.stamp, '');
  await assert.rejects(java.ready(), { code: 'RuntimeUnknown', message: /this host has no Java; install a JDK of 17 or later/ });
});
