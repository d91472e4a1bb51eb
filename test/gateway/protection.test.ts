/** Rates, circuits, outliers, deadlines and kept answers, each by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answers } from '../../src/gateway/instances/answers.ts';
import { type Circuit, closedAt, observed, passage, untried } from '../../src/gateway/protection/circuit.ts';
import { clientTimeoutMs, expectedWaitMs } from '../../src/gateway/request/deadline.ts';
import type { Exchange } from '../../src/gateway/request/exchange.ts';
import { causeOf } from '../../src/gateway/protection/fallback.ts';
import { isPlainGet, LastGood } from '../../src/gateway/protection/last-good.ts';
import { type InstanceRecord, outlierReason, siblingsOf } from '../../src/gateway/instances/outliers.ts';
import { RateLimits } from '../../src/gateway/protection/rate-limits.ts';
import { silentMs } from '../../src/gateway/instances/sick-instances.ts';
import { Streams } from '../../src/gateway/http/streams.ts';
import { SwiftletError } from '../../src/model/errors.ts';

test('a rate lets its burst through, then as many as the time has brought, and says which limit and when', () => {
  const limits = new RateLimits([{ perSecond: 2, burst: 3 }]);
  const take = (ms: number) => limits.take('f', {}, '::1', 1_000 + ms);
  assert.deepEqual([take(0), take(0), take(0)], [undefined, undefined, undefined]);
  const refused = take(0);
  assert.deepEqual([refused?.code, refused?.limit, refused?.retryAfterMs], ['RateLimited', '2 requests/s (burst 3)', 500]);
  assert.equal(take(499)?.code, 'RateLimited');
  assert.deepEqual([take(500), take(500)?.code], [undefined, 'RateLimited']);
});

test('each caller has a bucket of his own, by a header or by his address; a request that one rate refuses costs the others nothing', () => {
  const byKey = new RateLimits([{ perSecond: 1, burst: 1, key: { header: 'x-api-key' } }]);
  const with_ = (key: string) => byKey.take('f', { 'x-api-key': key }, '::1', 0)?.limit;
  assert.deepEqual([with_('a'), with_('b'), with_('a')], [undefined, undefined, '1 requests/s (burst 1) for each value of x-api-key']);
  const both = new RateLimits([
    { perSecond: 1, burst: 2 },
    { perSecond: 1, burst: 1, key: { source: true } },
  ]);
  const from = (address: string) => both.take('f', {}, address, 0)?.limit;
  const forEach = '1 requests/s (burst 1) for each caller’s address';
  assert.deepEqual(
    [from('1'), from('1'), from('1'), from('2'), from('3')],
    [undefined, forEach, forEach, undefined, '1 requests/s (burst 2)'],
  );
});

test('callers that are remembered are bounded', () => {
  const limits = new RateLimits([{ perSecond: 0.001, burst: 1, key: { source: true } }]);
  for (let caller = 0; caller <= 10_000; caller++) assert.equal(limits.take('f', {}, String(caller), 0), undefined);
  assert.equal(limits.take('f', {}, '1', 0)?.code, 'RateLimited');
  assert.equal(limits.take('f', {}, '0', 0), undefined, 'the first one is forgotten');
});

const breaker = { errorPercent: 50, leastRequests: 4, windowMs: 1_000, openMs: 500 };
/** What requests make of a circuit: f fails, s succeeds, one a millisecond. */
const after = (ends: string, from: Circuit = closedAt(0)): Circuit =>
  Array.from(ends).reduce((circuit, end, at) => observed(circuit, end === 'f', breaker, at), from);

test('a circuit opens at its share of failures, not before there are enough requests', () => {
  assert.deepEqual(
    ['fff', 'sssf', 'ssff', 'ffff', 'ssssff'].map((ends) => after(ends).kind),
    ['closed', 'closed', 'open', 'open', 'closed'],
  );
});

test('failures of long ago are forgotten', () => {
  let circuit = after('fff');
  circuit = observed(circuit, true, breaker, 2_500);
  assert.equal(circuit.kind, 'closed');
  for (let at = 0; at < 3; at++) circuit = observed(circuit, true, breaker, 2_600);
  assert.equal(circuit.kind, 'open');
});

test('open, then half open for one request, whose end decides; each failure doubles the pause', () => {
  let circuit = after('ffff');
  assert.deepEqual(passage(circuit, 9_000, 100), { kind: 'refused', retryAfterMs: 403 });
  const probe = passage(circuit, 9_000, 503);
  assert.ok(probe.kind === 'probe');
  assert.equal(passage(probe.circuit, 9_000, 504).kind, 'refused', 'others wait for the one that tries');
  assert.equal(passage(probe.circuit, 9_000, 9_503).kind, 'probe', 'and not for ever');
  assert.equal(passage(untried(probe.circuit, 510), 9_000, 510).kind, 'probe', 'one that hung up said nothing');
  circuit = observed(probe.circuit, true, breaker, 600);
  assert.deepEqual(circuit, { kind: 'open', untilMs: 1_600, failures: 1 });
  const second = passage(circuit, 9_000, 1_600);
  assert.ok(second.kind === 'probe');
  assert.deepEqual(passage(observed(second.circuit, false, breaker, 1_700), 9_000, 1_700), { kind: 'pass' });
});

const well: InstanceRecord = { meanMs: 10, requests: 50, failuresInARow: 0, silentMs: 5 };
const outliers: [what: string, one: Partial<InstanceRecord>, others: InstanceRecord[], replaced: number, reason: string | undefined][] = [
  ['one like the others', {}, [well, well], 0, undefined],
  ['one that fails again and again', { failuresInARow: 5 }, [well, well], 0, 'fails'],
  ['one that failed a few times', { failuresInARow: 4 }, [well, well], 0, undefined],
  ['one that fails as the others do', { failuresInARow: 5 }, [well, { ...well, failuresInARow: 1 }], 0, undefined],
  ['one that is silent', { silentMs: 1_001 }, [well, well], 0, 'hangs'],
  ['one that is silent for less than ten requests of its siblings take', { silentMs: 1_001 }, [{ ...well, meanMs: 150 }], 0, undefined],
  [
    'one that is silent while nobody knows how long requests take',
    { silentMs: 9_000 },
    [{ ...well, meanMs: undefined, requests: 0 }],
    0,
    undefined,
  ],
  ['a slow one', { meanMs: 61 }, [well, well], 0, 'is slow'],
  ['one that is three times as slow, but by little', { meanMs: 59 }, [well, well], 0, undefined],
  ['a slow one that has answered little', { meanMs: 500, requests: 9 }, [well, well], 0, undefined],
  ['the only one', { failuresInARow: 50 }, [], 0, undefined],
  ['one of two', { failuresInARow: 5 }, [well], 0, 'fails'],
  ['half are replaced already', { failuresInARow: 5 }, [well], 1, undefined],
];
for (const [what, one, others, replaced, reason] of outliers)
  test(`${what}: ${reason ?? 'stays'}`, () => {
    const record = { ...well, ...one };
    assert.equal(outlierReason(record, siblingsOf([...others, record]), replaced), reason);
  });

test('an instance is compared with the median of the others, wherever its own mean stands among theirs', () => {
  const reasonOf = (own: number, others: readonly number[]) => {
    const record = { ...well, meanMs: own };
    return outlierReason(record, siblingsOf([record, ...others.map((meanMs) => ({ ...well, meanMs }))]), 0);
  };
  // The median of the others is 40 each time; three times as much is slow, and so is nothing that is not 50 ms more.
  assert.deepEqual(
    [reasonOf(121, [40]), reasonOf(120, [40]), reasonOf(121, [10, 40, 500]), reasonOf(121, [121, 40, 10]), reasonOf(30, [40, 40, 40])],
    ['is slow', undefined, 'is slow', 'is slow', undefined],
  );
});

test('an instance is silent while nothing is answered; not while an answer goes on, and not while it has no request', () => {
  const link = { answers: new Answers(), streams: new Streams<Exchange>(2) };
  const add = (dispatchedAt: number, head?: object) => {
    const exchange = { stream: 0, head, dispatchedAt };
    exchange.stream = link.streams.enter(exchange as unknown as Exchange);
    link.answers.began(dispatchedAt);
    return exchange.stream;
  };
  assert.equal(silentMs(link, 9_000), 0);
  const first = add(1_000, {});
  assert.equal(silentMs(link, 9_000), 0, 'a stream of events');
  const second = add(8_000);
  assert.equal(silentMs(link, 9_500), 1_500, 'one that began long after it');
  link.streams.delete(first);
  link.answers.ended(10, false, link.streams.size, 9_600);
  assert.equal(silentMs(link, 9_700), 100);
  link.streams.delete(second);
  link.answers.ended(10, false, link.streams.size, 9_800);
  assert.equal(silentMs(link, 99_000), 0);
});

test('how long a caller waits', () => {
  assert.deepEqual(
    [undefined, '1500', '250ms', '2s'].map((text) => clientTimeoutMs(text)),
    [Infinity, 1_500, 250, 2_000],
  );
  for (const wrong of ['', '0', '-1', '1.5s', '2m', '1e9', '999999999s']) {
    const refused = clientTimeoutMs(wrong);
    assert.ok(refused instanceof SwiftletError && refused.place === 'x-swiftlet-timeout', wrong);
  }
});

test('how long one would wait behind others', () => {
  const known = { waiting: 0, instances: 2, slots: 5, meanMs: 100 };
  assert.deepEqual(
    [0, 9, 10, 45].map((waiting) => expectedWaitMs({ ...known, waiting })),
    [100, 100, 200, 500],
  );
  assert.equal(expectedWaitMs({ ...known, waiting: 99, meanMs: undefined }), 0);
});

test('what a fallback answers for', () => {
  const codes = [
    'HandlerError',
    'OutOfMemory',
    'Timeout',
    'DeadlineExceeded',
    'CircuitOpen',
    'QueueFull',
    'TooManyRequests',
    'RateLimited',
    'Internal',
    'BadRequest',
  ] as const;
  assert.deepEqual(codes.map(causeOf), [
    'error',
    'error',
    'timeout',
    'timeout',
    'open',
    'overload',
    'overload',
    undefined,
    undefined,
    undefined,
  ]);
});

test('an answer is kept that anybody may have, as long as it is fresh enough, and not too many', () => {
  const kept = new LastGood();
  const answer = { status: 200, headers: ['content-type', 'text/plain'], body: Buffer.from('good'), atMs: 1_000 };
  kept.keep('/', answer);
  assert.deepEqual(
    [kept.find('/', 500, 1_500), kept.find('/', 500, 1_501), kept.find('/other', 500, 1_000)],
    [answer, undefined, undefined],
  );
  for (const headers of [
    ['set-cookie', 'a=b'],
    ['cache-control', 'max-age=5, private'],
    ['vary', 'accept'],
  ])
    kept.keep('/not', { ...answer, headers });
  kept.keep('/not', { ...answer, status: 404 });
  kept.keep('/not', { ...answer, body: Buffer.alloc(64 * 1024 + 1) });
  assert.equal(kept.find('/not', 500, 1_000), undefined);
  for (let at = 0; at < 100; at++) kept.keep(`/${at}`, answer);
  assert.equal(kept.find('/', 500, 1_000), undefined);
  assert.deepEqual(
    [isPlainGet('GET', {}), isPlainGet('POST', {}), isPlainGet('GET', { cookie: 'a' }), isPlainGet('GET', { authorization: 'a' })],
    [true, false, false, false],
  );
});
