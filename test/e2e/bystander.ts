/** Another function on the same host, asked again and again while something bad happens beside it. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { E2e } from './functions.ts';

const betweenCallsMs = 5;
/** What no warm answer of a function that does nothing may take, whatever the machine is busy with. */
const slowestMs = 2_000;

/** @returns a run that fails when the bystander's answers do not stay right all the while, and right after */
export async function openBystander(e2e: E2e): Promise<<T>(hostile: () => Promise<T>) => Promise<T>> {
  await e2e.publish('bystander', 'export const handler = () => "fine";', { concurrency: 10, maximum: 1, idleMs: 600_000 });
  const ask = async () => {
    const askedAt = performance.now();
    const { status, text } = await e2e.call('/bystander/');
    assert.deepEqual([status, text], [200, '"fine"'], 'the bystander was disturbed');
    return performance.now() - askedAt;
  };
  return async (hostile) => {
    await ask();
    const over = new AbortController();
    const asking = (async () => {
      let slowest = 0;
      while (!over.signal.aborted) {
        slowest = Math.max(slowest, await ask());
        await sleep(betweenCallsMs);
      }
      return slowest;
    })();
    // Awaited below, after what it watches.
    asking.catch(() => undefined);
    const result = await hostile().finally(() => over.abort());
    const slowest = await asking;
    assert.ok(slowest < slowestMs, `the bystander waited ${slowest} ms`);
    await ask();
    return result;
  };
}
