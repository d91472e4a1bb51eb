import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sdk from 'cloudevents';
import { cloudEvent } from '../../src/events/cloud-event.ts';
import { timerEvent } from '../../src/events/timer-event.ts';
import { answeredEvent, readCloudEvents, writeCloudEvents } from '../../src/gateway/doors/cloud-event-binding.ts';

const event = { specversion: '1.0', id: 'e-1', source: '/orders', type: 'order.made', time: '2026-01-01T00:00:00.000Z' };
const attributes = { 'ce-specversion': '1.0', 'ce-id': 'e-1', 'ce-source': '/orders', 'ce-type': 'order.made', 'ce-time': event.time };
const json = { 'content-type': 'application/json' };
const read = (headers: Record<string, string>, body: string | Buffer = '') => {
  const { mode, events } = readCloudEvents(headers, Buffer.from(body));
  return { mode, events: events.map((one) => JSON.parse(JSON.stringify(one)) as Record<string, unknown>) };
};

test('binary: the attributes are headers, the body is the data', () => {
  assert.deepEqual(read({ ...attributes, ...json, 'ce-partitionkey': 'a', 'x-other': 'b' }, '{"n":1}'), {
    mode: 'binary',
    events: [{ ...event, datacontenttype: 'application/json', partitionkey: 'a', data: { n: 1 } }],
  });
  const dataOf = (type: string, body: string | Buffer) => {
    const [first] = read({ ...attributes, 'content-type': type }, body).events;
    return first?.['data'] ?? first?.['data_base64'];
  };
  assert.deepEqual(dataOf('application/vnd.order+json', '[1]'), [1]);
  assert.equal(dataOf('text/plain', 'grün'), 'grün');
  assert.equal(dataOf('image/png', Buffer.from([0, 255])), Buffer.from([0, 255]).toString('base64'));
  assert.equal(read({ ...attributes, 'ce-subject': 'gr%C3%BCn' }).events[0]?.['subject'], 'grün');
});

test('structured and batched: the events are the body', () => {
  const structured = { ...event, datacontenttype: 'application/json', data: { n: 1 } };
  const type = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
  assert.deepEqual(read(type, JSON.stringify(structured)), { mode: 'structured', events: [structured] });
  const binary = { ...event, data_base64: 'AP8=' };
  assert.equal(read(type, JSON.stringify(binary)).events[0]?.['data_base64'], 'AP8=');
  const batch = { 'content-type': 'application/cloudevents-batch+json' };
  assert.deepEqual(read(batch, JSON.stringify([structured, event])), { mode: 'batch', events: [structured, event] });
  assert.deepEqual(read(batch, '[]').events, []);
  const { specversion, id, source, type: eventType } = event;
  const timeless = { specversion, id, source, type: eventType };
  assert.deepEqual(read(type, JSON.stringify(timeless)).events, [timeless], 'a time was made up');
});

const structuredType = { 'content-type': 'application/cloudevents+json' };
const refused: [what: string, headers: Record<string, string>, body: string, detail: RegExp][] = [
  ['a request without any', json, '{}', /neither the headers/],
  ['one without an id', structuredType, JSON.stringify({ ...event, id: undefined }), /it has an id/],
  ['an empty type', { ...attributes, 'ce-type': '' }, '', /type is not empty/],
  ['another version', { ...attributes, 'ce-specversion': '0.3' }, '', /specversion is "1.0"/],
  ['a time that is none', { ...attributes, 'ce-time': 'yesterday' }, '', /RFC 3339/],
  ['a body that is no JSON', structuredType, '{', /JSON/],
  ['data that is no JSON', { ...attributes, ...json }, '{', /JSON/],
  ['an extension that has no name', structuredType, JSON.stringify({ ...event, 'A B': 1 }), /extension name/],
  ['an encoding that is none', { ...attributes, 'ce-subject': '%E0%A4%A' }, '', /URI/],
  ['a batch that is no list', { 'content-type': 'application/cloudevents-batch+json' }, '{}', /list of events/],
  ['too many at once', { 'content-type': 'application/cloudevents-batch+json' }, JSON.stringify(Array(1_001).fill(event)), /at most 1000/],
];
for (const [what, headers, body, detail] of refused)
  test(`refused: ${what}`, () => assert.throws(() => read(headers, body), { code: 'CloudEventInvalid', message: detail }));

test('what a function returns is one, or none, or an error', () => {
  const answered = (value: unknown) => answeredEvent(Buffer.from(JSON.stringify(value)));
  assert.equal(answered({ ...event, data: 1 })?.id, 'e-1');
  for (const other of [{ n: 1 }, null, 'text', [event]]) assert.equal(answered(other), undefined);
  for (const text of ['', 'no JSON']) assert.equal(answeredEvent(Buffer.from(text)), undefined);
  assert.throws(() => answered({ specversion: '1.0' }), { code: 'InvalidResponse', message: /it has an id/ });
});

test('an event is written in each mode as it was read', () => {
  for (const data of [{ n: 1 }, 'grün']) {
    const first = new sdk.CloudEvent({
      ...event,
      specversion: '1.0',
      subject: 'grün',
      datacontenttype: typeof data === 'string' ? 'text/plain' : 'application/json',
      data,
    });
    for (const mode of ['binary', 'structured', 'batch'] as const) {
      const { headers, body } = writeCloudEvents(mode, [first]);
      const named = Object.fromEntries(headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? '']] : [])));
      assert.ok(
        Object.values(named).every((value) => /^[\x20-\x7e]*$/.test(value)),
        JSON.stringify(named),
      );
      assert.deepEqual(read(named, body), { mode, events: [JSON.parse(first.toString())] });
    }
  }
});

test('what the platform tells as CloudEvents are such', () => {
  const made = cloudEvent({
    id: 'x',
    type: 'swiftlet.timer',
    source: ['f', 'timers', 't'],
    timeMs: 0,
    data: {},
  }) as sdk.CloudEvent<unknown>;
  assert.ok(new sdk.CloudEvent(made).validate());
  const { body } = timerEvent({ tenant: 'default', function: 'f', timer: 't' }, 1_000, 0, 1_000, 'cloudevents');
  const timer = JSON.parse(Buffer.from(body).toString()) as sdk.CloudEvent<unknown>;
  assert.deepEqual(
    [new sdk.CloudEvent(timer).source, timer.type, timer.time, timer.subject, timer.data],
    ['/functions/f/timers/t', 'swiftlet.timer', '1970-01-01T00:00:01.000Z', 't', { timer: 't' }],
  );
});
