import { execFile } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { groupWindowMs } from '../../src/events/group-commit.ts';
import { type EventRole, startEventRole } from '../event-role.ts';
import type { Scenario } from '../scenario.ts';
import { median, summarise } from '../statistics.ts';

/** Callers that each have one event on its way, of the role and of the bare loop. */
const callers = 256;
const rounds = 3;
const syncBytes = Buffer.alloc(4_096, 1);
/** For latency: few enough that nobody waits for anybody. */
const paceMs = 5;
const byTurns = 100;
const bare = fileURLToPath(new URL('../bare-events.ts', import.meta.url));
const body = Buffer.alloc(1_024, 'x').toString('base64');

/** How many events of 1 KB a second are stored and acknowledged, beside a loop that does nothing but write the same rows by the same group commit. */
export const eventAccept: Scenario = {
  name: 'event-accept',
  title: 'asynchronous events of 1 KB, stored',
  byDefault: true,
  async run({ quick, signal, progress }) {
    const roundMs = quick ? 1_000 : 5_000;
    const rates: number[] = [];
    const bareRates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      progress(`round ${round + 1} of ${rounds}`);
      await using role = await startEventRole();
      await accepting(role, roundMs / 5, signal);
      rates.push(await accepting(role, roundMs, signal));
      bareRates.push(await bareRate(roundMs));
    }
    progress('one after the other');
    await using role = await startEventRole();
    const { acceptedMs, syncedMs } = await paced(role, quick ? 200 : 2_000, signal);
    const { p50, p99, count } = summarise(acceptedMs);
    const sync = summarise(syncedMs);
    return {
      figures: [
        {
          what: 'accepted',
          value: median(rates),
          unit: 'events/s',
          samples: rounds,
          baseline: { name: 'a bare loop', value: median(bareRates) },
          target: { atLeast: 0.5 },
        },
        { what: 'p50', value: p50, unit: 'ms', samples: count },
        {
          what: 'p99 against the window and five syncs',
          value: p99,
          unit: 'ms',
          samples: count,
          baseline: { name: `${groupWindowMs} ms and five syncs’ p99`, value: groupWindowMs + 5 * sync.p99 },
          target: { atMost: 1 },
        },
      ],
      isolation: { full: true, detail: 'no function runs' },
      poolSize: 0,
      notes: [`the disk’s own sync: p50 ${sync.p50.toFixed(2)} ms, p99 ${sync.p99.toFixed(2)} ms; ${callers} callers at once for the rate`],
    };
  },
};

/** @returns events a second */
async function accepting(role: EventRole, limitMs: number, signal: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  let accepted = 0;
  const caller = async () => {
    while (performance.now() - startedAt < limitMs) {
      signal.throwIfAborted();
      await role.accept(body);
      accepted += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (accepted * 1_000) / (performance.now() - startedAt);
}

async function bareRate(limitMs: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-bare-'));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [bare, folder, String(callers), String(limitMs)]);
    return Number(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Events one after the other, and syncs of the disk's own at the same pace, a hundred by turns: both meet the same minutes of the machine, and neither waits for the other. */
async function paced(
  role: EventRole,
  count: number,
  signal: AbortSignal,
): Promise<{ readonly acceptedMs: number[]; readonly syncedMs: number[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-sync-'));
  const file = openSync(join(folder, 'file'), 'w');
  const acceptedMs: number[] = [];
  const syncedMs: number[] = [];
  try {
    while (acceptedMs.length < count) {
      for (let turn = 0; turn < byTurns; turn++) {
        await pause(paceMs, undefined, { signal });
        const startedAt = performance.now();
        await role.accept(body);
        acceptedMs.push(performance.now() - startedAt);
      }
      for (let turn = 0; turn < byTurns; turn++) {
        await pause(paceMs, undefined, { signal });
        syncedMs.push(syncTime(file));
      }
    }
    return { acceptedMs, syncedMs };
  } finally {
    closeSync(file);
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the disk takes for a small write and its sync, where the log lies. */
function syncTime(file: number): number {
  const startedAt = performance.now();
  writeSync(file, syncBytes);
  fdatasyncSync(file);
  return performance.now() - startedAt;
}
