/** A stop leaves nothing behind, gracefully or not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { eventually } from './functions.ts';
import { nothingLeft, openWatched } from './left-on-host.ts';
import { needsMemoryLimit, needsRoot } from './needs.ts';

const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length;
/** What runs of a platform at least: the supervisor, five roles, the launcher, and a sandbox. */
const leastProcesses = 8;

test('requests in flight finish, and nothing is left: no process, zombie, mount, cgroup, or file', async (t) => {
  const before = mounts();
  const { e2e, remember, left } = await openWatched(t);
  await e2e.publish('slow', 'export const handler = () => new Promise((r) => setTimeout(r, 700, "done"));');
  const inFlight = e2e.call('/slow/');
  await eventually(
    () => e2e.platform.api.instances('slow'),
    ([instance]) => instance?.state === 'leased',
  );
  remember();
  const running = left();
  assert.ok(running.processes.length >= leastProcesses && running.runFolder, JSON.stringify(running));
  if (needsRoot === false) assert.equal(running.interfaces.length, 1);
  if (needsMemoryLimit === false) assert.ok(running.cgroups > 0);
  await Promise.all([e2e[Symbol.asyncDispose](), inFlight.then(({ text }) => assert.equal(text, '"done"'))]);
  assert.deepEqual(left(), nothingLeft);
  assert.equal(mounts(), before);
});

test('a stop in the middle of boots and starts leaves nothing', async (t) => {
  const { e2e, remember, left } = await openWatched(t, { poolSize: 20 });
  await e2e.publish('inits', 'await new Promise((r) => setTimeout(r, 5000)); export const handler = () => 1;');
  const cut = e2e.call('/inits/').catch(() => undefined);
  remember();
  await e2e[Symbol.asyncDispose]();
  await cut;
  // What was orphaned while it ended is collected by the host's first process, in its own time.
  await eventually(left, (now) => isDeepStrictEqual(now, nothingLeft));
});

test('a killed supervisor takes its roles and their sandboxes with it', async (t) => {
  const { e2e, remember, left, removeRunFolder } = await openWatched(t);
  await e2e.publish('fast', 'export const handler = () => 1;');
  await e2e.call('/fast/');
  remember();
  process.kill(e2e.platform.pid, 'SIGKILL');
  // The run folder is what the next start with this data folder claims.
  await eventually(left, (now) => isDeepStrictEqual({ ...now, runFolder: false }, nothingLeft));
  removeRunFolder();
});
