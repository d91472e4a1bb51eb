/** A million events that wait: they take no memory, and no event takes longer because of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from '../bench/statistics.ts';
import { SqliteEventLog } from '../src/events/sqlite-event-log.ts';
import { tempFolder } from '../test/control/temp-folder.ts';
import { eventOf } from '../test/events/event-log.contract.ts';

const backlog = 1_000_000;
/** After so many the process has all that it needs, whatever comes. */
const warmUp = 50_000;
const atOnce = 512;
const samples = 300;
const grownAtMostMiB = 32;
const result = { status: 200, body: '', encoding: 'utf8', isTruncated: false } as const;

/** What V8 has not collected, and what it keeps for garbage to come, is not growth. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedMiB(): number {
  collect();
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return (rss - heapTotal + heapUsed) / 1024 / 1024;
}

/** What it takes to have one event through: stored, found due, leased, read, ended. */
async function oneThrough(log: SqliteEventLog, number: number): Promise<number> {
  const startedAt = performance.now();
  await log.accept(eventOf(number, { function: 'other' }));
  const due = await log.lanesDue(10_000_000);
  assert.ok(due.some(({ function: name }) => name === 'other'));
  await log.nextDueMs(10_000_000);
  const [leased] = await log.lease({ tenant: 'default', function: 'other', way: 'gateway', limit: 1, nowMs: 10_000_000, untilMs: 20_000_000 });
  assert.ok(leased !== undefined);
  await log.payload('default', leased.id);
  await log.settle(leased.id, leased.token, { kind: 'succeeded', attempts: 1, atMs: 1, result });
  return performance.now() - startedAt;
}

async function throughMs(log: SqliteEventLog, from: number): Promise<number> {
  const took: number[] = [];
  for (let at = 0; at < samples; at += 1) took.push(await oneThrough(log, from + at));
  return median(took);
}

for (const [what, keys] of [
  ['of one function', {}],
  ['behind one order key', { orderKey: 'the-key' }],
] as const) {
  test(`a million events ${what}`, async (t) => {
    const log = new SqliteEventLog(join(tempFolder(t), 'events.sqlite'), {
      maxBytes: Number.POSITIVE_INFINITY,
      now: () => performance.now(),
      committed: () => undefined,
      broken: assert.ifError,
    });
    t.after(() => log[Symbol.asyncDispose]());
    const fill = async (from: number, count: number) => {
      for (let at = from; at < from + count; at += atOnce)
        await Promise.all(Array.from({ length: Math.min(atOnce, from + count - at) }, (_, one) => log.accept(eventOf(at + one, keys))));
    };
    await fill(0, warmUp);
    const [emptyMs, emptyMiB] = [await throughMs(log, 5_000_000), usedMiB()];
    await fill(warmUp, backlog - warmUp);
    const grownMiB = usedMiB() - emptyMiB;
    const fullMs = await throughMs(log, 6_000_000);
    t.diagnostic(`one event takes ${emptyMs.toFixed(2)} ms before and ${fullMs.toFixed(2)} ms behind them; memory grew by ${grownMiB.toFixed(0)} MiB`);
    assert.ok(fullMs <= 2 * emptyMs, `${fullMs} ms against ${emptyMs} ms`);
    assert.ok(grownMiB <= grownAtMostMiB, `${grownMiB} MiB`);
  });
}
