import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertProblem, startUnderTest } from './control-under-test.ts';

const nightly = { kind: 'cron', expression: '30 2 * * *', timeZone: 'Europe/Berlin' };

describe('timers in the API', () => {
  it('are part of the version, with every default filled in', async (t) => {
    const control = await startUnderTest(t);
    const digest = await control.bundle();
    const { status, json } = await control.put('/v1/functions/hello', { digest, config: { timers: { nightly } } });
    assert.equal(status, 201, JSON.stringify(json));
    const { config } = json['version'] as { config: { timers: unknown } };
    assert.deepEqual(config.timers, { nightly: { ...nightly, jitterMs: 0, missed: 'skip' } });
    const again = await control.put('/v1/functions/hello', { digest, config: { timers: { nightly } } });
    assert.equal(again.json['created'], false, 'nothing has changed');
  });

  it('run when the event log says so', async (t) => {
    const control = await startUnderTest(t);
    await control.put('/v1/functions/hello', { digest: await control.bundle(), config: { timers: { nightly } } });
    const runs = { timers: [{ name: 'nightly', nextRunAt: '2026-01-02T01:30:00.000Z' }] };
    control.roles.events = { timers: runs };
    assert.deepEqual((await control.call('/v1/functions/hello/timers')).json, runs);
    assert.deepEqual(control.roles.askedEvents, [['timers', { tenant: 'default', function: 'hello' }]]);
    assertProblem(await control.call('/v1/functions/helo/timers'), 404, 'FunctionNotFound');
    await control.roles.stop('events');
    assertProblem(await control.call('/v1/functions/hello/timers'), 503, 'Unavailable');
  });

  const wrong: readonly (readonly [what: string, timers: object, place: string, detail: RegExp])[] = [
    ['an expression that is none', { bad: { ...nightly, expression: '61 * * * *' } }, 'config.timers.bad.expression', /no cron expression/],
    ['one that never comes', { bad: { ...nightly, expression: '0 0 30 2 *' } }, 'config.timers.bad.expression', /never comes/],
    ['a zone that is none', { bad: { ...nightly, timeZone: 'Mars/Olympus' } }, 'config.timers.bad.timeZone', /Mars/],
    ['a rate too fast', { bad: { kind: 'rate', everyMs: 10 } }, 'config.timers.bad.everyMs', /1000/],
    ['a time that is none', { bad: { kind: 'once', at: 'soon' } }, 'config.timers.bad.at', /2026-03-01/],
    ['an unknown member', { bad: { ...nightly, every: 1 } }, 'config.timers.bad', /every/],
  ];
  for (const [what, timers, place, detail] of wrong) {
    it(`${what}: 400 with its place, and no version`, async (t) => {
      const control = await startUnderTest(t);
      const answer = await control.put('/v1/functions/hello', { digest: await control.bundle(), config: { timers } });
      assertProblem(answer, 400, 'ManifestInvalid', detail, place);
      assertProblem(await control.call('/v1/functions/hello'), 404, 'FunctionNotFound');
    });
  }

  it('a name that is none, and too many: 400', async (t) => {
    const control = await startUnderTest(t);
    const digest = await control.bundle();
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`t-${at}`, nightly]));
    for (const timers of [{ 'No Name': nightly }, many])
      assertProblem(await control.put('/v1/functions/hello', { digest, config: { timers } }), 400, 'ManifestInvalid');
  });
});
