/** Orphans are collected by the supervisor, also those that end with it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { startTimeOf } from '../../src/agent/sandbox/remains.ts';
import { adoptOrphans } from '../../src/cli/up/reaper.ts';
import { eventually } from '../e2e/functions.ts';

/** A process whose parent has ended. */
const orphan = (seconds: number) => Number(execFileSync('sh', ['-c', `sleep ${seconds} >/dev/null & echo $!`], { encoding: 'utf8' }));

test('an orphan is collected when it ends', async () => {
  const reaper = adoptOrphans(() => []);
  const pid = orphan(0.05);
  await eventually(
    () => existsSync(`/proc/${pid}`),
    (exists) => !exists,
  );
  reaper[Symbol.dispose]();
});

test('an orphan that ended in the supervisor’s last turn is collected with it', () => {
  const reaper = adoptOrphans(() => []);
  const pid = orphan(0.05);
  // In one turn, so that no signal is read meanwhile.
  while (startTimeOf(pid) !== undefined);
  assert.ok(existsSync(`/proc/${pid}`));
  reaper[Symbol.dispose]();
  assert.ok(!existsSync(`/proc/${pid}`));
});
