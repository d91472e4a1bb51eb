/** `swiftlet logs -f` under a function that shouts: across rotations, within the size that logs may have. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { logFileBytes, logFiles } from '../../src/model/limits.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { residentBytes, roleOf } from './role-processes.ts';

const mebibyte = 1024 * 1024;
const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
});
after(() => e2e[Symbol.asyncDispose]());

/** Follows a log as a user does. */
function follow(name: string, onMessage: (message: string) => void): ChildProcess {
  const { home, apiUrl } = e2e.platform;
  const child = spawn(process.execPath, [cli, 'logs', name, '-f', '--json'], {
    env: { ...process.env, SWIFTLET_HOME: home, SWIFTLET_API_URL: apiUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.ok(child.stdout);
  createInterface({ input: child.stdout }).on('line', (line) => onMessage((JSON.parse(line) as { message: string }).message));
  return child;
}

test('a log that is followed goes on across a rotation, and no line is lost or doubled', { timeout: 120_000 }, async (t) => {
  // 15 KiB a line and less than the rate that a function may write: 700 lines fill a file.
  await e2e.publish(
    'tells',
    `let line = 0; export const handler = () => { for (let count = 0; count < 10; count++) console.log((line++) + ' ' + 'x'.repeat(15_000)); };`,
  );
  await e2e.call('/tells/');
  const seen: number[] = [];
  const child = follow('tells', (message) => {
    if (/^\d+ x/.test(message)) seen.push(Number.parseInt(message, 10));
  });
  t.after(() => child.kill());
  await eventually(
    () => seen.length,
    (count) => count >= 10,
  );
  const folder = join(e2e.platform.home, 'relay', 'logs', 'default', 'tells');
  // As fast as the rate lets it, so that nothing is dropped on the way.
  for (let call = 0; readdirSync(folder).length < 2; call++) {
    await e2e.call('/tells/');
    const told = (call + 2) * 10;
    await eventually(
      () => seen.length,
      (count) => count >= told - 40,
      20_000,
    );
    if (call > 25) await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await e2e.call('/tells/');
  const last = seen.length + 10;
  await eventually(
    () => seen.at(-1) ?? 0,
    (line) => line >= last - 11,
  );
  assert.deepEqual(
    seen,
    seen.map((_, at) => at),
  );
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 0);
});

test('a function that shouts gets so much of the disk, and the relay’s memory stays', { timeout: 120_000 }, async () => {
  await e2e.publish(
    'floods',
    `import fs from 'node:fs'; const bytes = Buffer.from(('y'.repeat(199) + '\\n').repeat(5_000)); export const handler = () => { const until = Date.now() + 3_000; let written = 0; while (Date.now() < until) { try { written += fs.writeSync(1, bytes); } catch {} } return written; };`,
    { timeoutMs: 20_000 },
  );
  const relay = roleOf(e2e.platform.pid, 'relay');
  const before = residentBytes(relay);
  let most = 0;
  const done = e2e.call('/floods/');
  const watch = setInterval(() => (most = Math.max(most, residentBytes(relay) - before)), 50);
  await done;
  clearInterval(watch);
  const written = Number((await done).text);
  assert.ok(written > 50 * mebibyte, `it wrote ${written} bytes`);
  assert.ok(most < 32 * mebibyte, `the relay grew by ${(most / mebibyte).toFixed(1)} MiB`);
  const folder = join(e2e.platform.home, 'relay', 'logs', 'default', 'floods');
  const stored = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.ok(stored < (logFiles + 1) * logFileBytes, `${stored} bytes are stored`);
  const { apiUrl, token } = e2e.platform;
  const read = () => fetch(`${apiUrl}/v1/functions/floods/logs?last=10000`, { headers: { authorization: `Bearer ${token}` } });
  await eventually(
    async () => (await read()).text(),
    (text) => /"level":"platform","message":"… \d+ bytes of output were dropped/.test(text),
  );
});
