/**
 * The ledger on a whole platform: a client notes every acknowledged event on the disk, a function every execution, while each role is
 * killed again and again. Afterwards each accepted event has ended, and none was tried more often than it may.
 */
import assert from 'node:assert/strict';
import { appendFileSync, closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, openE2e } from './functions.ts';
import { killRole } from './platform-processes.ts';

const retries = 20;
const kills = ['events', 'gateway', 'agent', 'events', 'control', 'gateway', 'relay', 'events'] as const;
const betweenKillsMs = 250;
const clients = 4;

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean);

test('kill -9 of each role under load loses nothing that was accepted', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-ledger-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [accepted, executed] = [join(folder, 'accepted'), join(folder, 'executed')];
  for (const path of [accepted, executed]) appendFileSync(path, '');
  // Only there can a function write to a file of ours.
  await using e2e = await openE2e({ isolation: 'process' });
  const code = `import { openSync, writeSync, fsyncSync } from 'node:fs';
    const ledger = openSync(${JSON.stringify(executed)}, 'a');
    export const handler = async (event, context) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      writeSync(ledger, context.awsRequestId + '\\n');
      fsyncSync(ledger);
      return 1;
    };`;
  await e2e.publish('noted', code, { async: { retries, backoffMs: 100, inFlight: 16 }, concurrency: 8, maximum: 2 });

  const ledger = openSync(accepted, 'a');
  let isOver = false;
  const refused = new Map<number, number>();
  const client = async () => {
    while (!isOver) {
      const answer = await e2e
        .call('/noted/', { method: 'POST', body: 'x'.repeat(500), headers: { prefer: 'respond-async' } })
        .catch(() => undefined);
      if (answer?.status === 202) {
        writeSync(ledger, `${String(answer.json['id'])}\n`);
        fsyncSync(ledger);
      } else {
        refused.set(answer?.status ?? 0, (refused.get(answer?.status ?? 0) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  const running = Array.from({ length: clients }, client);
  for (const role of kills) {
    await new Promise((resolve) => setTimeout(resolve, betweenKillsMs));
    await killRole(e2e.platform, role);
  }
  await new Promise((resolve) => setTimeout(resolve, betweenKillsMs));
  isOver = true;
  await Promise.all(running);
  closeSync(ledger);

  const ids = linesOf(accepted);
  t.diagnostic(`${ids.length} accepted; refused by status: ${JSON.stringify([...refused])}`);
  assert.ok(ids.length > 50, `${ids.length} were accepted`);
  const endOf = async (id: string) => {
    const { json } = await e2e.call(`/_/events/${id}`, { headers: { authorization: `Bearer ${e2e.platform.token}` } });
    return json;
  };
  // Asked for one figure, not for each event again and again: the processors are needed for them.
  const open = /^swiftlet_events\{[^}]*state="(?:waiting|running)"\} [1-9]/m;
  await eventually(
    () => e2e.platform.api.metrics(),
    (text) => text.includes('swiftlet_events{') && !open.test(text),
    15_000,
  );
  const ends = await Promise.all(ids.map(endOf));
  assert.deepEqual(
    ends.filter(({ state }) => state !== 'succeeded'),
    [],
  );
  const times = new Map<string, number>();
  for (const id of linesOf(executed)) times.set(id, (times.get(id) ?? 0) + 1);
  for (const id of ids) {
    const count = times.get(id) ?? 0;
    assert.ok(count >= 1 && count <= retries + 1, `event ${id} was executed ${count} times`);
  }
  for (const { attempts } of ends) assert.ok(Number(attempts) <= retries + 1);
  t.diagnostic(`${[...times.values()].filter((count) => count > 1).length} were executed more than once`);
});
