/** Runs become events, each once. The store is real, the clock is the test's. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { NewEvent } from '../../src/events/event-log.ts';
import { SqliteEventLog } from '../../src/events/sqlite-event-log.ts';
import { Timekeeper } from '../../src/events/timekeeper.ts';
import type { TimerStore } from '../../src/events/timer-store.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventually } from '../e2e/functions.ts';

const minute = 60_000;
const startMs = Date.parse('2026-01-01T00:00:00Z');
const everyMinute = { kind: 'cron', expression: '* * * * *' };

const functionsWith = (timers: Record<string, object>): Map<string, Version> =>
  new Map([
    [
      'default/hello',
      {
        tenant: 'default',
        function: 'hello',
        number: 1,
        digest: 'a'.repeat(64),
        size: 1,
        config: functionConfigSchema.parse({ timers }),
        createdAt: '2026-01-01T00:00:00.000Z',
      },
    ],
  ]);

/** @param looked called at the end of each look */
const watched = (store: TimerStore, looked: () => void): TimerStore => ({
  timers: () => store.timers(),
  timersOf: (ref) => store.timersOf(ref),
  replaceTimers: (changed, gone) => store.replaceTimers(changed, gone),
  timersDue: (nowMs, limit) => store.timersDue(nowMs, limit),
  nextTimerMs: (afterMs) => store.nextTimerMs(afterMs).finally(looked),
  advanceTimer: (seen, step) => store.advanceTimer(seen, step),
});

interface Under {
  readonly log: SqliteEventLog;
  readonly keeper: Timekeeper;
  readonly accepted: NewEvent[];
  readonly skipped: string[];
  readonly troubles: unknown[];
  functions: Map<string, Version> | undefined;
  nowMs: number;
  /** Wakes the keeper and resolves when it has looked. */
  look(): Promise<void>;
  times(): string[];
}

function open(
  t: TestContext,
  timers: Record<string, object>,
  path = join(tempFolder(t), 'events.sqlite'),
  maxBytes = Number.POSITIVE_INFINITY,
): Under {
  const log = new SqliteEventLog(path, { maxBytes, now: () => performance.now(), committed: () => undefined, broken: assert.ifError });
  let looks = 0;
  const under: Under = {
    log,
    accepted: [],
    skipped: [],
    troubles: [],
    functions: functionsWith(timers),
    nowMs: startMs,
    keeper: new Timekeeper({
      store: watched(log.timers, () => (looks += 1)),
      functions: () => under.functions,
      now: () => under.nowMs,
      accepted: (event) => under.accepted.push(event),
      skipped: ({ timer }) => under.skipped.push(timer),
      trouble: (error) => under.troubles.push(error),
    }),
    async look() {
      const before = looks;
      under.keeper.wake();
      await eventually(
        () => looks,
        (now) => now > before,
      );
    },
    times: () => under.accepted.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { time: string }).time.slice(11, 19)),
  };
  t.after(async () => {
    await under.keeper[Symbol.asyncDispose]();
    await log[Symbol.asyncDispose]();
  });
  return under;
}

test('a run is an event like EventBridge’s, with the scheduled time and the timer’s name, and due at once', async (t) => {
  const under = open(t, { tick: everyMinute });
  await under.look();
  assert.equal(under.accepted.length, 0);
  under.nowMs += minute + 250;
  await under.look();
  const [event] = under.accepted;
  const body = JSON.parse(Buffer.from(event?.body ?? []).toString()) as Record<string, unknown>;
  assert.deepEqual(body, {
    version: '0',
    id: event?.id,
    'detail-type': 'Scheduled Event',
    source: 'swiftlet.timers',
    account: 'default',
    time: '2026-01-01T00:01:00.000Z',
    region: 'local',
    resources: ['arn:swiftlet:timers:local:default:timer:hello/tick'],
    detail: { timer: 'tick' },
  });
  assert.match(event?.id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal((await under.log.find('default', event?.id ?? ''))?.dueMs, under.nowMs);
  assert.deepEqual(
    (await under.log.timers.timersOf({ tenant: 'default', function: 'hello' })).map(({ lastMs, nextMs }) => [lastMs, nextMs]),
    [[startMs + minute, startMs + 2 * minute]],
  );
});

test('jitter puts each run off by a part of it, and leaves its time as it is', async (t) => {
  const under = open(t, { tick: { ...everyMinute, jitterMs: 30_000 } });
  await under.look();
  for (let at = 0; at < 20; at += 1) {
    under.nowMs += minute;
    await under.look();
  }
  const delays = under.accepted.map(({ dueMs = 0, acceptedMs }) => dueMs - acceptedMs);
  assert.equal(delays.length, 20);
  assert.ok(delays.every((delay) => delay >= 0 && delay <= 30_000) && new Set(delays).size > 10, String(delays));
});

test('a timer that stays as it was goes on over deploys and restarts; one that changes begins anew; one that is gone is gone', async (t) => {
  const path = join(tempFolder(t), 'events.sqlite');
  const rate = { kind: 'rate', everyMs: 10 * minute };
  const first = open(t, { tick: rate, tock: everyMinute }, path);
  await first.look();
  await first.keeper[Symbol.asyncDispose]();
  const under = open(t, { tick: rate }, path);
  under.nowMs = startMs + 7 * minute;
  await under.look();
  const timers = await under.log.timers.timers();
  assert.deepEqual(
    timers.map(({ timer, nextMs }) => [timer, nextMs]),
    [['tick', startMs + 10 * minute]],
  );
  under.functions = functionsWith({ tick: { ...rate, everyMs: 5 * minute } });
  await under.look();
  assert.equal((await under.log.timers.timers())[0]?.nextMs, startMs + 12 * minute);
  under.functions = new Map();
  await under.look();
  assert.deepEqual(await under.log.timers.timers(), []);
});

test('what was missed is skipped, made up for once, or all of it', async (t) => {
  const under = open(t, {
    skips: { ...everyMinute, missed: 'skip' },
    once: { ...everyMinute, missed: 'once' },
    all: { ...everyMinute, missed: 'all' },
  });
  await under.look();
  under.nowMs += 5 * minute + 30_000;
  await under.look();
  const of = (timer: string) => under.accepted.filter(({ body }) => Buffer.from(body).toString().includes(`"timer":"${timer}"`)).length;
  // The fifth is late by half a minute only: it was not missed.
  assert.deepEqual([of('skips'), of('once'), of('all')], [1, 2, 5]);
  assert.deepEqual(under.skipped, ['skips']);
});

test('two keepers on one store: one event for each timer and time', async (t) => {
  const path = join(tempFolder(t), 'events.sqlite');
  const timers = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`tick-${at}`, everyMinute]));
  const [one, other] = [open(t, timers, path), open(t, timers, path)];
  await one.look();
  await other.look();
  for (let at = 0; at < 10; at += 1) {
    one.nowMs += minute;
    other.nowMs += minute;
    await Promise.all([one.look(), other.look()]);
  }
  const ids = [...one.accepted, ...other.accepted].map(({ id }) => id);
  assert.deepEqual([ids.length, new Set(ids).size], [200, 200]);
  assert.deepEqual(await one.log.counts(), [{ tenant: 'default', function: 'hello', state: 'waiting', count: 200 }]);
  assert.deepEqual([...one.troubles, ...other.troubles], []);
});

test('a log that is full keeps the timer where it is, and the run comes when there is room', async (t) => {
  const path = join(tempFolder(t), 'events.sqlite');
  const full = open(t, { tick: everyMinute }, path, 1);
  full.keeper.wake();
  await eventually(
    () => full.log.timers.timers(),
    ({ length }) => length === 1,
  );
  full.nowMs += minute;
  full.keeper.wake();
  await eventually(
    () => full.troubles.length,
    (count) => count > 0,
  );
  assert.deepEqual(full.accepted, []);
  await full.keeper[Symbol.asyncDispose]();
  const under = open(t, { tick: everyMinute }, path);
  under.nowMs = full.nowMs + 10_000;
  await under.look();
  assert.deepEqual(under.times(), ['00:01:00']);
});

test('nothing runs before it is known what functions there are', async (t) => {
  const under = open(t, { tick: everyMinute });
  await under.look();
  const { functions } = under;
  under.functions = undefined;
  under.nowMs += minute;
  under.keeper.wake();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.deepEqual(under.accepted, []);
  under.functions = functions;
  await under.look();
  assert.deepEqual(under.times(), ['00:01:00']);
});
