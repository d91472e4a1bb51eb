/** The events role is killed in the middle of storing, again and again: whatever it has acknowledged is there, whole. */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { SqliteEventLog } from '../../src/events/sqlite-event-log.ts';
import { socketOf } from '../../src/role/role-config.ts';
import { connectCalls } from '../../src/wire/calls.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventOf } from './event-log.contract.ts';
import { startRole } from './role-under-test.ts';

const kills = 12;
const clients = 32;
const body = Buffer.alloc(1_000, 7);

test('an events role that is killed has lost nothing that it had acknowledged', async (t) => {
  const folder = tempFolder(t);
  const acknowledged: string[] = [];
  for (let round = 0; round < kills; round += 1) {
    const child = await startRole(t, folder);
    const calls = connectCalls(socketOf(join(folder, 'run'), 'events'), 'gateway');
    const { tenant, function: name, request } = eventOf(0);
    const accept = async () => {
      const id = randomUUIDv7();
      await calls.ask('accept', { id, tenant, function: name, request, body: body.toString('base64') }, 1_000);
      acknowledged.push(id);
    };
    // A disk that stands still for longer than the limit acknowledges nothing, and may do so again.
    const client = async () => {
      while (!child.killed) await accept().catch(() => undefined);
    };
    const running = Array.from({ length: clients }, client);
    const before = acknowledged.length;
    while (acknowledged.length < before + 100 + round * 37) await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await calls[Symbol.asyncDispose]();
    await Promise.all(running);
  }
  const log = new SqliteEventLog(join(folder, 'events', 'events.sqlite'), {
    maxBytes: Number.POSITIVE_INFINITY,
    now: () => performance.now(),
    committed: () => undefined,
    broken: assert.ifError,
  });
  t.after(() => log[Symbol.asyncDispose]());
  for (const id of acknowledged) assert.deepEqual(Buffer.from((await log.payload('default', id))?.body ?? []), body, `${id} is lost`);
  t.diagnostic(`${acknowledged.length} acknowledged over ${kills} kills`);
});
