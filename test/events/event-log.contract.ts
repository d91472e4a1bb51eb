/** What every EventLog promises, whichever it is. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { EventLog, NewEvent, Settlement } from '../../src/events/event-log.ts';

export interface LogUnderTest {
  readonly log: EventLog;
  /** What a killed process leaves behind, opened by its successor. */
  reopen(): Promise<EventLog>;
}

const tenant = 'default';
/** Ids that sort in the order of their numbers. */
export const idOf = (number: number): string => `0196b0f2-0000-7000-8000-${String(number).padStart(12, '0')}`;
export const eventOf = (number: number, change: Partial<NewEvent> = {}): NewEvent => ({
  id: idOf(number),
  tenant,
  function: 'hello',
  acceptedMs: 1_000 + number,
  request: { kind: 'http', method: 'POST', target: '/x?y=1', sourceIp: '10.0.0.1', headers: ['a', 'b', 'a', 'c'] },
  body: Buffer.from([0, 1, 255, number]),
  ...change,
});

const order = { tenant, function: 'hello', way: 'gateway', limit: 100, nowMs: 10_000, untilMs: 20_000 } as const;
const result = { status: 200, contentType: 'text/plain', body: 'fine', encoding: 'utf8', isTruncated: false } as const;
const succeeded: Settlement = { kind: 'succeeded', attempts: 1, atMs: 11_000, result };
const error = { code: 'HandlerError', message: 'boom' };
const dead: Settlement = { kind: 'dead-lettered', attempts: 3, atMs: 11_000, reason: 'attempts', error };
const discarded: Settlement = { ...dead, kind: 'discarded' };

/** @param open makes an empty log; its remains are removed after the test */
export function eventLogContract(name: string, open: (t: TestContext) => Promise<LogUnderTest>): void {
  const filled = async (t: TestContext, count: number) => {
    const under = await open(t);
    await Promise.all(Array.from({ length: count }, (_, at) => under.log.accept(eventOf(at))));
    return under;
  };
  /** Leases what is due and settles it. */
  const settleAll = async (log: EventLog, settlement: Settlement) => {
    for (const { id, token } of await log.lease(order)) assert.ok(await log.settle(id, token, settlement));
  };
  const statesOf = async (log: EventLog) =>
    Object.fromEntries((await log.counts()).filter(({ count }) => count > 0).map(({ state, count }) => [state, count]));

  describe(`the ${name} event log`, () => {
    it('keeps what it accepted, to the byte, over a kill', async (t) => {
      const under = await filled(t, 3);
      const log = await under.reopen();
      const { request, body } = eventOf(1);
      const kept = await log.payload(tenant, idOf(1));
      assert.ok(kept !== undefined);
      assert.deepEqual(kept.request, request);
      assert.deepEqual(Buffer.from(kept.body), Buffer.from(body));
      assert.deepEqual(await statesOf(log), { waiting: 3 });
    });

    it('takes an id once', async (t) => {
      const { log } = await filled(t, 1);
      await log.accept(eventOf(0, { body: Buffer.from('other') }));
      assert.deepEqual(Buffer.from((await log.payload(tenant, idOf(0)))?.body ?? []), Buffer.from(eventOf(0).body));
      assert.deepEqual(await statesOf(log), { waiting: 1 });
    });

    it('leases each event once, those due first first, and no more than asked for', async (t) => {
      const { log } = await filled(t, 5);
      assert.deepEqual(await log.lanesDue(999), []);
      assert.deepEqual(await log.lanesDue(1_000), [{ tenant, function: 'hello', way: 'gateway' }]);
      const first = await log.lease({ ...order, limit: 2 });
      assert.deepEqual(first.map(({ id }) => id).sort(), [idOf(0), idOf(1)]);
      const rest = await Promise.all([log.lease(order), log.lease(order)]);
      assert.deepEqual(
        rest.map(({ length }) => length),
        [3, 0],
      );
      assert.deepEqual(await log.lanesDue(order.nowMs), []);
    });

    it('leases nothing before its time', async (t) => {
      const { log } = await filled(t, 1);
      const [leased] = await log.lease(order);
      assert.ok(leased !== undefined && leased.attempts === 0 && leased.sinceMs === 1_000);
      assert.ok(await log.settle(leased.id, leased.token, { kind: 'waiting', attempts: 1, dueMs: 50_000, error }));
      assert.deepEqual(await log.lease({ ...order, nowMs: 49_999 }), []);
      assert.equal(await log.nextDueMs(10_000), 50_000);
      assert.equal(await log.nextDueMs(50_000), undefined);
      const [again] = await log.lease({ ...order, nowMs: 50_000 });
      assert.equal(again?.attempts, 1);
      assert.notEqual(again.token, leased.token);
    });

    it('does not listen to a holder whose lease is not the present one', async (t) => {
      const { log } = await filled(t, 1);
      const [stale] = await log.lease(order);
      assert.ok(stale !== undefined);
      assert.deepEqual(await log.expired(19_999, 10), []);
      assert.deepEqual(await log.expired(20_000, 10), [stale]);
      assert.ok(await log.settle(stale.id, stale.token, { kind: 'waiting', attempts: 1, dueMs: 10_000, error }));
      const [held] = await log.lease(order);
      assert.ok(held !== undefined);
      assert.equal(await log.settle(stale.id, stale.token, dead), false);
      assert.equal((await log.find(tenant, stale.id))?.state, 'running');
      assert.equal(await log.settle(held.id, held.token, succeeded), true);
      assert.equal(await log.settle(held.id, held.token, dead), false, 'it has ended');
      assert.deepEqual((await log.find(tenant, held.id))?.result, result);
    });

    it('finds the leases of a holder that was killed', async (t) => {
      const under = await filled(t, 2);
      const [leased] = await under.log.lease({ ...order, limit: 1 });
      const log = await under.reopen();
      assert.deepEqual(
        (await log.expired(Number.MAX_SAFE_INTEGER, 10)).map(({ id, token }) => [id, token]),
        [[leased?.id, leased?.token]],
      );
    });

    it('ends an event once, and keeps the bytes of dead letters only', async (t) => {
      for (const [settlement, isKept] of [
        [succeeded, false],
        [discarded, false],
        [dead, true],
      ] as const) {
        const { log } = await filled(t, 1);
        await settleAll(log, settlement);
        assert.deepEqual(await statesOf(log), { [settlement.kind]: 1 });
        assert.equal((await log.payload(tenant, idOf(0))) !== undefined, isKept);
        const found = await log.find(tenant, idOf(0));
        assert.deepEqual([found?.state, found?.attempts, found?.endedMs], [settlement.kind, settlement.attempts, 11_000]);
        assert.deepEqual(await log.lease({ ...order, nowMs: 99_999_999 }), []);
      }
    });

    it('lists dead letters in pages, of all functions or of one', async (t) => {
      const { log } = await filled(t, 4);
      await log.accept(eventOf(4, { function: 'other' }));
      await settleAll(log, dead);
      for (const { id, token } of await log.lease({ ...order, function: 'other' })) await log.settle(id, token, dead);
      const list = async (after: string, limit: number, of?: string) =>
        (await log.deadLetters({ tenant, function: of, after, limit })).map(({ id }) => id);
      assert.deepEqual(await list('', 2), [idOf(0), idOf(1)]);
      assert.deepEqual(await list(idOf(1), 9), [idOf(2), idOf(3), idOf(4)]);
      assert.deepEqual(await list('', 9, 'other'), [idOf(4)]);
      assert.deepEqual(await log.deadLetters({ tenant: 'stranger', function: undefined, after: '', limit: 9 }), []);
    });

    it('redrives dead letters as if they were accepted now, and those only', async (t) => {
      const { log } = await filled(t, 4);
      await settleAll(log, dead);
      await log.accept(eventOf(9));
      assert.equal(await log.redrive(tenant, { ids: [idOf(0), idOf(9), idOf(77)] }, 30_000, 10), 1);
      assert.equal(await log.redrive('stranger', { all: true }, 30_000, 10), 0);
      assert.equal(await log.redrive(tenant, { function: 'hello' }, 30_000, 2), 2);
      const leased = await log.lease({ ...order, nowMs: 30_000 });
      assert.deepEqual(leased.map(({ id, attempts, sinceMs }) => [id, attempts, sinceMs]).sort(), [
        ...[0, 1, 2].map((n) => [idOf(n), 0, 30_000]),
        [idOf(9), 0, 1_009],
      ]);
      assert.equal((await log.find(tenant, idOf(0)))?.error, undefined);
    });

    it('purges dead letters, and those only', async (t) => {
      const { log } = await filled(t, 3);
      await settleAll(log, dead);
      await log.accept(eventOf(9));
      assert.equal(await log.purge(tenant, { ids: [idOf(0), idOf(9)] }, 10), 1);
      assert.equal(await log.purge(tenant, { all: true }, 10), 2);
      assert.deepEqual(await statesOf(log), { waiting: 1 });
      assert.equal(await log.payload(tenant, idOf(0)), undefined);
    });

    it('forgets what ended well long ago, never a dead letter or what waits', async (t) => {
      const { log } = await filled(t, 3);
      await settleAll(log, succeeded);
      await log.accept(eventOf(8));
      await settleAll(log, dead);
      await log.accept(eventOf(9));
      assert.deepEqual([await log.endedBack(2), await log.endedBack(3)], [11_000, undefined]);
      assert.equal(await log.forget(11_000, 10), 0);
      assert.equal(await log.forget(11_001, 2), 2);
      assert.equal(await log.forget(11_001, 2), 1);
      assert.deepEqual(await statesOf(log), { 'dead-lettered': 1, waiting: 1 });
      assert.equal(await log.find(tenant, idOf(0)), undefined);
    });

    it('leases events with one order key one at a time, in their order, each when the one before it has ended', async (t) => {
      const under = await open(t);
      let { log } = under;
      const keyed = (number: number, orderKey: string) => log.accept(eventOf(number, { orderKey }));
      for (const [number, key] of [
        [0, 'a'],
        [1, 'b'],
        [2, 'a'],
        [3, 'a'],
        [4, 'b'],
      ] as const)
        await keyed(number, key);
      await log.accept(eventOf(5));
      const lease = async (nowMs: number = order.nowMs) => {
        const leased = await log.lease({ ...order, nowMs });
        return leased.sort((one, other) => (one.id < other.id ? -1 : 1));
      };
      const first = await lease();
      assert.deepEqual(
        first.map(({ id }) => id),
        [idOf(0), idOf(1), idOf(5)],
      );
      const [a0, b1] = first;
      assert.ok(a0 !== undefined && b1 !== undefined);
      assert.ok(await log.settle(a0.id, a0.token, { kind: 'waiting', attempts: 1, dueMs: 50_000, error }));
      assert.deepEqual(await lease(), [], 'what waits for its retry holds up those behind it');
      assert.deepEqual(await log.lanesDue(order.nowMs), []);
      assert.equal(await log.nextDueMs(order.nowMs), 50_000);
      log = await under.reopen();
      const [again] = await lease(50_000);
      assert.ok(again?.id === idOf(0) && (await log.settle(again.id, again.token, dead)));
      const [a2, ...others] = await lease(50_000);
      assert.ok(a2?.id === idOf(2) && others.length === 0, 'a dead letter makes room for the next');
      assert.ok(await log.settle(a2.id, a2.token, discarded));
      assert.deepEqual(
        (await lease(50_000)).map(({ id }) => id),
        [idOf(3)],
      );
    });

    it('redrives a dead letter before those with its order key that still wait, and not beside one that is under way', async (t) => {
      const { log } = await open(t);
      for (const number of [0, 1, 2]) await log.accept(eventOf(number, { orderKey: 'a' }));
      const next = async () => {
        const leased = await log.lease({ ...order, nowMs: 40_000 });
        assert.equal(leased.length, 1);
        return leased[0] ?? assert.fail();
      };
      const failing = await next();
      await log.settle(failing.id, failing.token, dead);
      const underWay = await next();
      assert.equal(await log.redrive(tenant, { all: true }, 30_000, 10), 1);
      assert.deepEqual(await log.lease({ ...order, nowMs: 40_000 }), []);
      await log.settle(underWay.id, underWay.token, succeeded);
      const redriven = await next();
      assert.equal(redriven.id, failing.id);
      await log.settle(redriven.id, redriven.token, succeeded);
      assert.equal((await next()).id, idOf(2));
    });

    it('knows an idempotency key for as long as it stands, of its function only', async (t) => {
      const under = await open(t);
      const keyed = (number: number, change: object = {}, fingerprint = 'same') =>
        under.log.accept(eventOf(number, { idempotency: { key: 'k', fingerprint, untilMs: 5_000 }, ...change }));
      assert.deepEqual(await keyed(0), { kind: 'stored' });
      assert.deepEqual(await keyed(1), { kind: 'repeated', id: idOf(0) });
      assert.deepEqual(await keyed(2, {}, 'other'), { kind: 'reused' });
      assert.deepEqual(await keyed(3, { function: 'other' }), { kind: 'stored' });
      const log = await under.reopen();
      assert.deepEqual(
        await log.accept(eventOf(4, { acceptedMs: 4_999, idempotency: { key: 'k', fingerprint: 'same', untilMs: 9_000 } })),
        {
          kind: 'repeated',
          id: idOf(0),
        },
      );
      assert.deepEqual(await log.accept(eventOf(5, { acceptedMs: 5_000, idempotency: { key: 'k', fingerprint: 'new', untilMs: 9_000 } })), {
        kind: 'stored',
      });
      assert.deepEqual((await log.counts()).map((one) => [one.function, one.count]).sort(), [
        ['hello', 2],
        ['other', 1],
      ]);
      assert.deepEqual([await log.forgetKeys(8_999, 10), await log.forgetKeys(9_000, 10)], [1, 1]);
    });

    it('takes a key twice in one moment as one event', async (t) => {
      const { log } = await open(t);
      const idempotency = { key: 'k', fingerprint: 'same', untilMs: 5_000 };
      const all = await Promise.all(Array.from({ length: 20 }, (_, at) => log.accept(eventOf(at, { idempotency }))));
      assert.equal(all.filter(({ kind }) => kind === 'stored').length, 1);
      assert.deepEqual(await statesOf(log), { waiting: 1 });
    });

    it('accepts what follows from an end together with it, and only with it', async (t) => {
      const under = await filled(t, 1);
      const [leased] = await under.log.lease(order);
      assert.ok(leased?.hops === 0);
      const follow = eventOf(7, { function: 'other', hops: 3 });
      assert.equal(await under.log.settle(leased.id, leased.token + 1, succeeded, follow), false);
      assert.deepEqual(await under.log.lanesDue(99_999), []);
      assert.equal(await under.log.settle(leased.id, leased.token, succeeded, follow), true);
      const log = await under.reopen();
      const [followed] = await log.lease({ ...order, function: 'other' });
      assert.deepEqual([followed?.id, followed?.hops, followed?.way], [idOf(7), 3, 'gateway']);
    });

    it('keeps what goes to webhooks apart from what goes to the function', async (t) => {
      const { log } = await filled(t, 1);
      await log.accept(eventOf(1, { request: { kind: 'webhook', url: 'https://hooks.test/', secretVariable: 'S' } }));
      assert.deepEqual((await log.lanesDue(99_999)).map(({ way }) => way).sort(), ['gateway', 'webhook']);
      assert.deepEqual(
        (await log.lease(order)).map(({ id }) => id),
        [idOf(0)],
      );
      assert.deepEqual(
        (await log.lease({ ...order, way: 'webhook' })).map(({ id }) => id),
        [idOf(1)],
      );
    });

    it('accepts an event that ends at once as a dead letter, with its bytes', async (t) => {
      const { log } = await open(t);
      await log.accept(eventOf(0, { end: { kind: 'dead-lettered', attempts: 2, atMs: 1_000, reason: 'recursion', error } }));
      const found = await log.find(tenant, idOf(0));
      assert.deepEqual(
        [found?.state, found?.attempts, found?.reason, found?.endedMs, found?.error],
        ['dead-lettered', 2, 'recursion', 1_000, error],
      );
      assert.ok((await log.payload(tenant, idOf(0))) !== undefined);
      assert.equal(await log.redrive(tenant, { all: true }, 2_000, 9), 1);
      assert.equal((await log.lease(order)).length, 1);
    });

    it('shows no tenant what is of another', async (t) => {
      const { log } = await filled(t, 1);
      assert.equal(await log.find('stranger', idOf(0)), undefined);
      assert.equal(await log.payload('stranger', idOf(0)), undefined);
    });
  });
}
