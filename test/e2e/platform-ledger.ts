/**
 * The ledger on a whole platform: a client notes every acknowledged event on the disk, a function every execution, while each role is
 * killed again and again. Afterwards each accepted event has ended, and none was tried more often than it may.
 */
import assert from 'node:assert/strict';
import { appendFileSync, closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type E2e, eventually, openE2e } from './functions.ts';
import { killRole } from './platform-processes.ts';

export type KilledRole = 'events' | 'gateway' | 'agent' | 'control' | 'relay';

export interface PlatformLedgerOptions {
  /** Which are killed, one after the other. */
  readonly kills: readonly KilledRole[];
  readonly betweenKillsMs: number;
  /** How long all that was accepted may take to end, when nothing is killed any more. */
  readonly drainLimitMs: number;
}

const retries = 20;
const clients = 4;
const afterRefusalMs = 10;
const askedAtOnce = 100;

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean);

/** @throws AssertionError with what was lost, or tried too often */
export async function platformLedger(t: TestContext, { kills, betweenKillsMs, drainLimitMs }: PlatformLedgerOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-ledger-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [accepted, executed] = [join(folder, 'accepted'), join(folder, 'executed')];
  for (const path of [accepted, executed]) appendFileSync(path, '');
  // Only there can a function write to a file of ours.
  await using e2e = await openE2e({ isolation: 'process' });
  await e2e.publish('noted', codeOf(executed), { async: { retries, backoffMs: 100, inFlight: 16 }, concurrency: 8, maximum: 2 });
  const load = startLoad(e2e, accepted);
  for (const role of kills) {
    await setTimeout(betweenKillsMs);
    await killRole(e2e.platform, role);
  }
  await setTimeout(betweenKillsMs);
  const refused = await load.stop();
  const ids = linesOf(accepted);
  t.diagnostic(`${kills.length} kills, ${ids.length} accepted; refused by status: ${JSON.stringify([...refused])}`);
  assert.ok(ids.length > 50, `${ids.length} were accepted`);
  await drained(e2e, drainLimitMs);
  const twice = await judge(e2e, ids, linesOf(executed));
  t.diagnostic(`${twice} were executed more than once`);
}

const codeOf = (ledger: string): string => `
  import { openSync, writeSync, fsyncSync } from 'node:fs';
  const ledger = openSync(${JSON.stringify(ledger)}, 'a');
  export const handler = async (event, context) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    writeSync(ledger, context.awsRequestId + '\\n');
    fsyncSync(ledger);
    return 1;
  };`;

/** Clients that send one after the other. @returns what ends them, and tells how many were refused by status; 0: no answer */
function startLoad(e2e: E2e, path: string): { stop(): Promise<ReadonlyMap<number, number>> } {
  const ledger = openSync(path, 'a');
  const refused = new Map<number, number>();
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      const answer = await e2e
        .call('/noted/', { method: 'POST', body: 'x'.repeat(500), headers: { prefer: 'respond-async' } })
        .catch(() => undefined);
      if (answer?.status === 202) {
        writeSync(ledger, `${String(answer.json['id'])}\n`);
        fsyncSync(ledger);
        continue;
      }
      refused.set(answer?.status ?? 0, (refused.get(answer?.status ?? 0) ?? 0) + 1);
      await setTimeout(afterRefusalMs);
    }
  };
  const running = Promise.all(Array.from({ length: clients }, client));
  return {
    async stop() {
      isOver = true;
      await running;
      closeSync(ledger);
      return refused;
    },
  };
}

/** Resolves when no event is open any more. One figure is asked for, not each event: the processors are needed for them. */
async function drained({ platform }: E2e, limitMs: number): Promise<void> {
  const open = /^swiftlet_events\{[^}]*state="(?:waiting|running)"\} [1-9]/m;
  await eventually(
    () => platform.api.metrics(),
    (text) => text.includes('swiftlet_events{') && !open.test(text),
    limitMs,
  );
}

/** @returns how many events were executed more than once */
async function judge(e2e: E2e, ids: readonly string[], executions: readonly string[]): Promise<number> {
  const headers = { authorization: `Bearer ${e2e.platform.token}` };
  for (let from = 0; from < ids.length; from += askedAtOnce) {
    const some = ids.slice(from, from + askedAtOnce);
    const ends = await Promise.all(some.map(async (id) => (await e2e.call(`/_/events/${id}`, { headers })).json));
    assert.deepEqual(
      ends.filter(({ state }) => state !== 'succeeded'),
      [],
    );
    for (const { attempts } of ends) assert.ok(Number(attempts) <= retries + 1);
  }
  const times = new Map<string, number>();
  for (const id of executions) times.set(id, (times.get(id) ?? 0) + 1);
  for (const id of ids) {
    const count = times.get(id) ?? 0;
    assert.ok(count >= 1 && count <= retries + 1, `event ${id} was executed ${count} times`);
  }
  return [...times.values()].filter((count) => count > 1).length;
}
