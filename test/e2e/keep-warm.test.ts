/** An instance that is kept warm by a schedule: it is there when the first request comes, whose handler nobody has called before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, openE2e } from './functions.ts';

const counting = (extra: string) =>
  `let calls = 0; const seen = []; export const handler = (event) => { calls += 1; ${extra} return { calls, seen }; };`;

test('a schedule starts an instance and keeps it, without its handler; a handler that wants the event gets it', async () => {
  await using e2e = await openE2e();
  const schedule = { idleMs: 5_000, keepWarm: { kind: 'rate', everyMs: 1_000 } } as const;
  await e2e.publish('kept', counting(''), schedule);
  const own = { ...schedule, keepWarm: { ...schedule.keepWarm, callsHandler: true } } as const;
  await e2e.publish('asked', counting('if (event.source) seen.push(event.source);'), own);
  const snake = "calls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n    return {'calls': calls}\n";
  await e2e.publish('snake', { 'main.py': snake }, { ...schedule, runtime: 'python3', handler: 'main.handler' });
  const reportsOf = async (name: string) => (await e2e.log(name)).filter(({ level }) => level === 'report');
  for (const name of ['kept', 'asked', 'snake'])
    await eventually(
      () => reportsOf(name),
      (reports) => reports.length >= 2,
    );
  const [first, second] = (await reportsOf('kept')).map(({ report }) => report as { start: string; outcome: string });
  assert.deepEqual([first?.outcome, first?.start], ['ok', 'cold']);
  assert.deepEqual([second?.outcome, second?.start], ['ok', 'warm']);
  const kept = await e2e.call('/kept/');
  assert.equal(kept.headers.get('x-swiftlet-start'), 'warm');
  assert.deepEqual(kept.json, { calls: 1, seen: [] }, 'the schedule never called it');
  assert.deepEqual((await e2e.call('/snake/')).json, { calls: 1 });
  const asked = await e2e.call('/asked/');
  assert.ok(Number(asked.json['calls']) >= 3);
  assert.ok((asked.json['seen'] as string[]).every((source) => source === 'swiftlet.keep-warm'));
  // Whoever calls from outside cannot say that the handler is not to be called.
  const forged = await e2e.call('/_/invoke/kept', {
    method: 'POST',
    body: '{}',
    headers: { 'x-swiftlet-warm-up': 'yes', authorization: `Bearer ${e2e.platform.token}` },
  });
  assert.equal(forged.json['calls'], 2);
});
