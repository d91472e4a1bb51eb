/** A stop leaves nothing behind, gracefully or not. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { eventually, openE2e } from './functions.ts';

interface Host {
  readonly mounts: number;
  readonly cgroups: number;
  readonly sandboxes: number;
}

function host(): Host {
  const processes = execFileSync('ps', ['-eo', 'uid,args'], { encoding: 'utf8' }).split('\n');
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length,
    cgroups: Number(execFileSync('sh', ['-c', 'find /sys/fs/cgroup -type d -name "swiftlet-*" 2>/dev/null | wc -l'], { encoding: 'utf8' })),
    sandboxes: processes.filter((line) => /^\s*(19|20|21)\d{8}\s/.test(line)).length,
  };
}

const runFolders = () => (existsSync('/run/swiftlet') ? readdirSync('/run/swiftlet') : []);

test('requests in flight finish, and nothing is left', async () => {
  const [before, folders] = [host(), runFolders()];
  const e2e = await openE2e();
  await e2e.publish('slow', 'export const handler = () => new Promise((r) => setTimeout(r, 700, "done"));');
  const inFlight = e2e.call('/slow/');
  await new Promise((resolve) => setTimeout(resolve, 200));
  await Promise.all([e2e[Symbol.asyncDispose](), inFlight.then(({ text }) => assert.equal(text, '"done"'))]);
  assert.deepEqual(host(), before);
  assert.deepEqual(runFolders(), folders);
});

test('a stop in the middle of boots and starts leaves nothing', async () => {
  const before = host();
  const e2e = await openE2e({ poolSize: 20 });
  await e2e.publish('inits', 'await new Promise((r) => setTimeout(r, 5000)); export const handler = () => 1;');
  const cut = e2e.call('/inits/').catch(() => undefined);
  await e2e[Symbol.asyncDispose]();
  await cut;
  // What was orphaned while it ended is collected by the host's first process, in its own time.
  await eventually(host, (now) => isDeepStrictEqual(now, before), 2_000);
});

test('a killed supervisor takes its roles and their sandboxes with it', async () => {
  const before = host();
  const e2e = await openE2e();
  await e2e.publish('fast', 'export const handler = () => 1;');
  await e2e.call('/fast/');
  process.kill(e2e.platform.pid, 'SIGKILL');
  const until = performance.now() + 10_000;
  while (host().sandboxes > before.sandboxes) {
    assert.ok(performance.now() < until, 'sandboxes live on');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await e2e[Symbol.asyncDispose]();
});
