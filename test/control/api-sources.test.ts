import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertProblem, startUnderTest } from './control-under-test.ts';

const origin = { kind: 'jetstream', servers: ['nats://broker:4222'], stream: 'ORDERS' };
const view = { function: 'hello', name: 'incoming', kind: 'jetstream', state: 'running', lag: 3, held: 2, working: 1 };

describe('sources in the API', () => {
  it('are part of the version, with every default filled in', async (t) => {
    const control = await startUnderTest(t);
    const digest = await control.bundle();
    const { status, json } = await control.put('/v1/functions/hello', { digest, config: { sources: { incoming: { origin } } } });
    assert.equal(status, 201, JSON.stringify(json));
    const { config } = json['version'] as { config: { sources: Record<string, unknown> } };
    assert.deepEqual(config.sources['incoming'], {
      origin,
      batchSize: 10,
      batchWindowMs: 0,
      concurrency: 1,
      order: 'none',
      start: 'earliest',
      filters: [],
      attempts: 3,
      backoffMs: 1_000,
      enabled: true,
    });
  });

  it('are as the events role says, of one function and of all', async (t) => {
    const control = await startUnderTest(t);
    await control.put('/v1/functions/hello', { digest: await control.bundle(), config: { sources: { incoming: { origin } } } });
    control.roles.events = { sources: { sources: [view] } };
    assert.deepEqual((await control.call('/v1/sources')).json, { sources: [view] });
    assert.deepEqual((await control.call('/v1/functions/hello/sources')).json, { sources: [view] });
    assert.deepEqual((await control.call('/v1/functions/hello/sources/incoming')).json, view);
    assert.deepEqual(control.roles.askedEvents.slice(0, 2), [
      ['sources', { tenant: 'default' }],
      ['sources', { tenant: 'default', function: 'hello' }],
    ]);
    assertProblem(await control.call('/v1/functions/hello/sources/other'), 404, 'NotFound');
    assertProblem(await control.call('/v1/functions/helo/sources'), 404, 'FunctionNotFound');
    await control.roles.stop('events');
    assertProblem(await control.call('/v1/sources'), 503, 'Unavailable');
  });

  for (const [what, method] of [
    ['pause', 'pauseSource'],
    ['resume', 'resumeSource'],
  ] as const) {
    it(`are told to ${what}`, async (t) => {
      const control = await startUnderTest(t);
      await control.put('/v1/functions/hello', { digest: await control.bundle(), config: { sources: { incoming: { origin } } } });
      control.roles.events = { [method]: { ...view, state: 'paused' } };
      const answer = await control.call(`/v1/functions/hello/sources/incoming/${what}`, { method: 'POST' });
      assert.deepEqual([answer.status, answer.json['state']], [200, 'paused']);
      assert.deepEqual(control.roles.askedEvents, [[method, { tenant: 'default', function: 'hello', source: 'incoming' }]]);
      assertProblem(await control.call(`/v1/functions/helo/sources/incoming/${what}`, { method: 'POST' }), 404, 'FunctionNotFound');
    });
  }

  it('that cannot be are refused with their place, and there is no version', async (t) => {
    const control = await startUnderTest(t);
    const digest = await control.bundle();
    const sources = { incoming: { origin, filters: [{ body: { kind: [{ prefx: 'a' }] } }] } };
    const answer = await control.put('/v1/functions/hello', { digest, config: { sources } });
    assertProblem(answer, 400, 'ManifestInvalid', /prefix/, 'config.sources.incoming.filters.0.body.kind.0');
    assertProblem(await control.call('/v1/functions/hello'), 404, 'FunctionNotFound');
  });
});
