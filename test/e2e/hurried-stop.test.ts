/** Two signals: the first lets requests finish, the second waits for nothing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, openE2e } from './functions.ts';

/** Longer than the test waits for anything. */
const graceMs = 60_000;
/** What a role may need to stop, long before a supervisor would end it by force. */
const atOnceMs = 20_000;

test('a second Ctrl-C ends at once what the first one lets finish', async () => {
  await using e2e = await openE2e({ environment: { SWIFTLET_GRACE_MS: String(graceMs) } });
  const { pid, logPath, api } = e2e.platform;
  await e2e.publish('hangs', 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 60_000));', { timeoutMs: 60_000 });
  let isOver = false;
  const cut = e2e.call('/hangs/').then(
    ({ status }) => status,
    () => 'broken',
  );
  void cut.then(() => (isOver = true));
  await eventually(
    () => api.instances('hangs'),
    ([instance]) => instance?.state === 'leased',
  );
  const said = () => readFileSync(logPath, 'utf8');
  process.kill(pid, 'SIGINT');
  await eventually(said, (text) => text.includes('again to stop at once'));
  // The supervisor stops the gateway first, which waits for the request.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(!isOver, 'the request has its grace');
  const hurriedAt = performance.now();
  process.kill(pid, 'SIGINT');
  assert.equal(await cut, 'broken');
  await eventually(
    () => isAlive(pid),
    (alive) => !alive,
  );
  const took = performance.now() - hurriedAt;
  assert.ok(took < atOnceMs, `it took ${took} ms`);
  assert.match(said(), /stopping at once/);
});

/** One that has ended and that nobody has collected yet is not. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
