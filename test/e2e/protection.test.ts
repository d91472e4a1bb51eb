/** A protected function on the real platform. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 8 });
});
after(() => e2e[Symbol.asyncDispose]());

test('a rate holds over versions, and what it refuses is counted', async () => {
  const protect = { rates: [{ perSecond: 0.01, burst: 3 }] };
  await e2e.publish('rated', 'export const handler = () => 1;', { protect });
  assert.equal((await e2e.call('/rated/')).status, 200);
  await e2e.publish('rated', 'export const handler = () => 2;', { protect });
  const statuses = [];
  for (let at = 0; at < 3; at++) statuses.push((await e2e.call('/rated/')).status);
  assert.deepEqual(statuses, [200, 200, 429]);
  const refused = await e2e.call('/rated/');
  assert.deepEqual([refused.headers.get('x-swiftlet-error'), refused.json['limit']], ['RateLimited', '0.01 requests/s (burst 3)']);
  const retryAfter = Number(refused.headers.get('retry-after'));
  assert.ok(retryAfter > 50 && retryAfter <= 100, `after ${retryAfter} s`);
  assert.match(await e2e.platform.api.metrics(), /swiftlet_requests_total\{.*function="rated",outcome="RateLimited"\} 2/);
});

test('a function that times out has its fallback answered by another one, and its caller’s time is told to it', async () => {
  await e2e.publish('spare', 'export const handler = (event, context) => ({ left: context.getRemainingTimeInMillis() });');
  await e2e.publish('stuck', 'export const handler = () => new Promise(() => setTimeout(() => {}, 60_000));', {
    timeoutMs: 300,
    protect: { fallback: { kind: 'function', function: 'spare', on: ['timeout'] } },
  });
  const answer = await e2e.call('/stuck/');
  assert.deepEqual([answer.status, answer.headers.get('x-swiftlet-fallback')], [200, 'function; cause=Timeout']);
  const hurried = await e2e.call('/spare/', { headers: { 'x-swiftlet-timeout': '2s' } });
  assert.ok(Number(hurried.json['left']) <= 2_000 && Number(hurried.json['left']) > 1_000, hurried.text);
});

test('of several instances the one that hangs is replaced, and callers hardly see it', async () => {
  // Whichever gets the poison answers nothing any more.
  const code = `
    let isPoisoned = false;
    export const handler = async (event) => {
      isPoisoned ||= event.headers['x-poison'] !== undefined;
      await new Promise((resolve) => setTimeout(resolve, isPoisoned ? 60_000 : 5));
      return 'x';
    };`;
  await e2e.publish('sick', code, { concurrency: 4, minimum: 4, maximum: 8, timeoutMs: 4_000 });
  const warm = async () => Promise.all(Array.from({ length: 16 }, () => e2e.call('/sick/')));
  for (let round = 0; round < 4; round++) await warm();
  const poisoned = e2e.call('/sick/', { headers: { 'x-poison': '1' } });
  await pause(2_000);
  const after2s = await Promise.all(
    Array.from({ length: 300 }, async (_, at) => {
      await pause(at * 3);
      return (await e2e.call('/sick/')).status;
    }),
  );
  // Who came to the one that hangs would have had 504.
  assert.deepEqual([...new Set(after2s)], [200]);
  assert.equal((await poisoned).status, 504);
  await eventually(
    async () => (await e2e.platform.api.instances('sick')).length,
    (count) => count >= 4,
  );
});

test('a function that starts well and exits with each request starts ever less often, says why, and is back with its next version', async () => {
  await e2e.publish('loops', 'export const handler = () => process.exit(7);', { maximum: 20 });
  const startsOk = async () =>
    Number(/^swiftlet_cold_starts_total\{runtime="nodejs26",outcome="ok"\} (\d+)$/m.exec(await e2e.platform.api.metrics())?.[1] ?? 0);
  const before = await startsOk();
  const startedAt = performance.now();
  const isWaitedFor = () => /exited with code 7.*\d+ times in a row.*at the earliest/.test(String(answers.at(-1)?.json['detail']));
  const isOver = () => performance.now() - startedAt > (isWaitedFor() ? 2_500 : 60_000);
  const answers: Awaited<ReturnType<E2e['call']>>[] = [];
  const caller = async () => {
    while (!isOver()) {
      answers.push(await e2e.call('/loops/'));
      await pause(5);
    }
  };
  await Promise.all(Array.from({ length: 4 }, caller));
  // Pauses of 100, 200, 400, 800 ms and more; before them two rounds of four callers, and what had begun.
  const started = (await startsOk()) - before;
  assert.ok(started <= 20, `${started} starts`);
  assert.deepEqual(
    [...new Set(answers.map(({ status, headers }) => `${status} ${headers.get('x-swiftlet-error')}`))],
    ['502 FunctionCrashed'],
  );
  assert.ok(isWaitedFor(), String(answers.at(-1)?.json['detail']));
  await e2e.publish('loops', 'export const handler = () => "well";');
  const next = await e2e.call('/loops/');
  assert.deepEqual([next.status, next.text], [200, '"well"']);
});
