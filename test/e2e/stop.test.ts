/** A stop leaves nothing behind, gracefully or not. Other platforms may run on the host meanwhile. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { identitiesOf } from '../../src/cli/up/identities.ts';
import { homeId, runFolder } from '../../src/role/home.ts';
import { eventually, openE2e } from './functions.ts';

interface Left {
  readonly sandboxes: number;
  readonly cgroups: number;
  readonly runFolder: boolean;
}

const nothing: Left = { sandboxes: 0, cgroups: 0, runFolder: false };
const mostSandboxes = 9_000;

/** What there is on the host of the platform with this data folder. */
function leftOf(home: string): Left {
  const id = homeId(home);
  const { firstSandboxUid } = identitiesOf(id);
  const uids = execFileSync('ps', ['-eo', 'uid='], { encoding: 'utf8' }).split('\n').map(Number);
  const cgroups = execFileSync('sh', ['-c', `find /sys/fs/cgroup -type d -name "swiftlet-${id}" 2>/dev/null | wc -l`], {
    encoding: 'utf8',
  });
  return {
    sandboxes: uids.filter((uid) => uid >= firstSandboxUid && uid < firstSandboxUid + mostSandboxes).length,
    cgroups: Number(cgroups),
    runFolder: existsSync(runFolder(home, process.env)),
  };
}

const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length;

test('requests in flight finish, and nothing is left', async () => {
  const before = mounts();
  const e2e = await openE2e();
  const { home } = e2e.platform;
  await e2e.publish('slow', 'export const handler = () => new Promise((r) => setTimeout(r, 700, "done"));');
  const inFlight = e2e.call('/slow/');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(leftOf(home).sandboxes > 0 && leftOf(home).cgroups > 0);
  await Promise.all([e2e[Symbol.asyncDispose](), inFlight.then(({ text }) => assert.equal(text, '"done"'))]);
  assert.deepEqual(leftOf(home), nothing);
  assert.equal(mounts(), before);
});

test('a stop in the middle of boots and starts leaves nothing', async () => {
  const e2e = await openE2e({ poolSize: 20 });
  await e2e.publish('inits', 'await new Promise((r) => setTimeout(r, 5000)); export const handler = () => 1;');
  const cut = e2e.call('/inits/').catch(() => undefined);
  await e2e[Symbol.asyncDispose]();
  await cut;
  // What was orphaned while it ended is collected by the host's first process, in its own time.
  await eventually(
    () => leftOf(e2e.platform.home),
    (left) => isDeepStrictEqual(left, nothing),
    2_000,
  );
});

test('a killed supervisor takes its roles and their sandboxes with it', async () => {
  const e2e = await openE2e();
  await e2e.publish('fast', 'export const handler = () => 1;');
  await e2e.call('/fast/');
  process.kill(e2e.platform.pid, 'SIGKILL');
  await eventually(
    () => leftOf(e2e.platform.home).sandboxes,
    (sandboxes) => sandboxes === 0,
    10_000,
  );
  await e2e[Symbol.asyncDispose]();
});
