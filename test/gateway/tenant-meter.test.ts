import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestBucket } from '../../src/gateway/protection/tenant-meter.ts';
import { TenantMeters } from '../../src/gateway/protection/tenant-meters.ts';
import { defaultTenantInFlight } from '../../src/model/limits.ts';
import { emptyState } from '../../src/wire/published-state.ts';

const none = 1_000;

function metersWith(quotas: object): TenantMeters {
  const meters = new TenantMeters();
  meters.take({ ...emptyState, tenants: new Map([['acme', { name: 'acme', quotas, cpuWeight: 100 }]]) });
  return meters;
}

test('as many requests a second as the quota says, and as many at once', () => {
  const bucket = new RequestBucket(10, 0);
  const taken = (nowMs: number, asked: number) => Array.from({ length: asked }, () => bucket.take(10, nowMs)).filter(Boolean).length;
  assert.deepEqual([taken(0, 20), taken(50, 5), taken(100, 5), taken(10_000, 30)], [10, 0, 1, 10]);
});

test('what is over is told with the quota’s name and value; other tenants are not touched', () => {
  const meters = metersWith({ concurrency: 3, requestsPerSecond: 1 });
  const acme = meters.of('acme');
  assert.match(acme.refusal(3, none, 0)?.message ?? '', /tenant "acme" has its quota "concurrency" of 3 full/);
  assert.equal(acme.refusal(2, none, 0), undefined);
  const over = acme.refusal(0, none, 0);
  assert.deepEqual(
    [over?.code, over?.place, over?.limit, over?.retryAfterMs],
    ['QuotaExceeded', 'requestsPerSecond', 'requestsPerSecond of 1', 1_000],
  );
  assert.equal(meters.of('other').refusal(none - 1, none, 0), undefined);
  assert.equal(meters.of('other').refusal(none, none, 0)?.code, 'TooManyRequests');
});

test('a tenant has a thousand requests at once, unless its quota says another number, also a higher one', () => {
  assert.equal(defaultTenantInFlight, 1_000);
  const acme = metersWith({ concurrency: 5_000 }).of('acme');
  assert.deepEqual(
    [acme.refusal(4_999, defaultTenantInFlight, 0), acme.refusal(5_000, defaultTenantInFlight, 0)?.code],
    [undefined, 'QuotaExceeded'],
  );
});

test('a quota of nothing lets nothing in; one that is lifted lets in at once', () => {
  const meters = metersWith({ concurrency: 0 });
  assert.equal(meters.of('acme').refusal(0, none, 0)?.code, 'QuotaExceeded');
  meters.take({ ...emptyState, tenants: new Map() });
  assert.equal(meters.of('acme').refusal(0, none, 0), undefined);
});

test('a day that is used up is over at midnight UTC', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-03-01T23:59:00Z') });
  const meters = metersWith({ gbSecondsPerDay: 5 });
  meters.takeSpent({ day: Math.floor(Date.now() / 86_400_000), tenants: ['acme'] });
  const over = meters.of('acme').refusal(0, none, 0);
  assert.deepEqual([over?.code, over?.place, over?.retryAfterMs], ['QuotaExceeded', 'gbSecondsPerDay', 60_000]);
  t.mock.timers.setTime(Date.parse('2026-03-02T00:00:00Z'));
  assert.equal(meters.of('acme').refusal(0, none, 0), undefined);
});
