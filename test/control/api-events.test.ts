import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertProblem, startUnderTest } from './control-under-test.ts';

const id = '0196b0f2-aaaa-7bbb-8ccc-00000000000e';
const event = { id, function: 'hello', state: 'dead-lettered', acceptedAt: '2026-01-01T00:00:00.000Z', attempts: 3 };
const request = { kind: 'event', method: 'POST', target: '/', sourceIp: '127.0.0.1', headers: [] };

describe('events in the API', () => {
  it('are what the event log says', async (t) => {
    const control = await startUnderTest(t);
    control.roles.events = { event, deadLetters: { events: [event], next: id }, deadLetter: { event, request, body: 'e30=' } };
    assert.deepEqual((await control.call(`/v1/events/${id}`)).json, event);
    assert.deepEqual((await control.call('/v1/dead-letters?function=hello&limit=1')).json, { events: [event], next: id });
    assert.deepEqual((await control.call(`/v1/dead-letters/${id}`)).json, { event, request, body: 'e30=' });
    assert.deepEqual(control.roles.askedEvents, [
      ['event', { tenant: 'default', id }],
      ['deadLetters', { tenant: 'default', function: 'hello', limit: 1 }],
      ['deadLetter', { tenant: 'default', id }],
    ]);
  });

  it('are redriven and purged by id, of a function, or all', async (t) => {
    const control = await startUnderTest(t);
    control.roles.events = { redrive: { count: 1, more: false }, purge: { count: 9, more: true } };
    const post = (what: string, body: object) => control.call(`/v1/dead-letters/${what}`, { method: 'POST', body: JSON.stringify(body) });
    assert.deepEqual((await post('redrive', { ids: [id] })).json, { count: 1, more: false });
    assert.deepEqual((await post('purge', { all: true })).json, { count: 9, more: true });
    assert.deepEqual(control.roles.askedEvents, [
      ['redrive', { tenant: 'default', selection: { ids: [id] } }],
      ['purge', { tenant: 'default', selection: { all: true } }],
    ]);
    for (const wrong of [{}, { all: false }, { ids: [] }, { ids: [id], all: true }, { ids: ['x'] }])
      assertProblem(await post('purge', wrong), 400, 'BadRequest');
  });

  it('need an id that is one, the token, and the event log', async (t) => {
    const control = await startUnderTest(t);
    assertProblem(await control.call('/v1/events/none'), 400, 'BadRequest', /a UUID/);
    assertProblem(await control.call(`/v1/events/${id}`), 404, 'EventNotFound');
    assertProblem(await control.call(`/v1/events/${id}`, { token: null }), 401, 'Unauthorized');
    await control.roles.stop('events');
    assertProblem(await control.call(`/v1/events/${id}`), 503, 'Unavailable');
    assert.equal((await control.call('/v1/functions')).status, 200);
  });
});
