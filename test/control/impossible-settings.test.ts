/** Settings that cannot be: refused with their place, before there is a version of them. */
import { test } from 'node:test';
import { startTenants } from './access-under-test.ts';
import { assertProblem } from './control-under-test.ts';

const clock = { expression: '0 9 * * *', forMs: 3_600_000, target: 2 };

const wrong: readonly (readonly [what: string, config: object, place: string, detail: RegExp])[] = [
  [
    'a schedule that is none',
    { scale: { schedules: [{ ...clock, expression: '61 * * * *' }] } },
    'scale.schedules.0.expression',
    /no cron/,
  ],
  [
    'one that never comes',
    { scale: { schedules: [{ ...clock, expression: '0 0 30 2 *' }] } },
    'scale.schedules.0.expression',
    /never comes/,
  ],
  ['a zone that is none', { scale: { schedules: [clock, { ...clock, timeZone: 'Mars/Olympus' }] } }, 'scale.schedules.1.timeZone', /Mars/],
  ['a schedule over the maximum', { maximum: 1, scale: { schedules: [clock] } }, 'scale.schedules.0.target', /"maximum" of 1/],
  ['more in the beginning than at most', { maximum: 2, scale: { initial: 3 } }, 'scale.initial', /"maximum" of 2/],
  ['more at least than at most', { minimum: 3, maximum: 2 }, 'minimum', /3/],
  [
    'a schedule with its minimum above its maximum',
    { scale: { schedules: [{ ...clock, minimum: 3, maximum: 2 }] } },
    'scale.schedules.0',
    /above/,
  ],
  ['more set aside than the tenant may have', { protect: { reservedConcurrency: 6 } }, 'protect.reservedConcurrency', /of the 5/],
  ['none at once', { concurrency: 0 }, 'concurrency', />=1|greater|at least/i],
  ['no time', { timeoutMs: -1 }, 'timeoutMs', />=|greater|at least/i],
  ['a rate of nothing', { protect: { rates: [{ perSecond: 0, burst: 1 }] } }, 'protect.rates.0.perSecond', />=|greater|at least/i],
  ['a burst of nothing', { protect: { rates: [{ perSecond: 1, burst: 0 }] } }, 'protect.rates.0.burst', />=|greater|at least/i],
  ['a breaker beyond all', { protect: { breaker: { errorPercent: 101 } } }, 'protect.breaker.errorPercent', /100/],
  ['a scale that adds nothing', { scale: { factor: 0.5 } }, 'scale.factor', />=|greater|at least/i],
];

test('what cannot be is refused with 400 and its place', async (t) => {
  const control = await startTenants(t);
  await control.createTenant('acme', { quotas: { concurrency: 5 } });
  for (const [what, config, place, detail] of wrong)
    await t.test(what, async () =>
      assertProblem(await control.deploy('acme', 'hello', { config }), 400, 'ManifestInvalid', detail, `config.${place}`),
    );
  // Where no quota says how many, the platform does.
  const usual = await control.deploy('default', 'hello', { config: { protect: { reservedConcurrency: 11 } } });
  assertProblem(usual, 400, 'ManifestInvalid', /of the 10/, 'config.protect.reservedConcurrency');
  assertProblem(await control.call('/v1/functions/hello', { headers: { 'x-swiftlet-tenant': 'acme' } }), 404, 'FunctionNotFound');
});
