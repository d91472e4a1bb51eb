/** CloudEvents over HTTP to a function that takes them, by the SDK at the sender's end, too. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CloudEvent, HTTP } from 'cloudevents';
import { type E2e, eventually, openE2e } from './functions.ts';

const doubles = `export const handler = (event) => {
  console.log(JSON.stringify(event));
  if (event.type === 'told') return;
  if (event.type === 'plain') return { plain: true };
  if (event.type === 'slow') return new Promise((resolve) => setTimeout(resolve, 5_000));
  if (event.data?.n === 13) throw new Error('unlucky');
  return { specversion: '1.0', id: event.id + '-reply', source: '/doubles', type: 'doubled', data: { n: 2 * event.data.n } };
};`;

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
  await e2e.publish('doubles', doubles, { events: 'cloudevents', async: { retries: 0 } });
});
after(() => e2e[Symbol.asyncDispose]());

const eventOf = (id: string, n: number, type = 'number') => new CloudEvent({ id, source: '/tests', type, data: { n } });
const send = (event: CloudEvent<unknown>, mode: 'binary' | 'structured', extra: Record<string, string> = {}) => {
  const { headers, body } = HTTP[mode](event);
  return e2e.call('/doubles/', { method: 'POST', headers: { ...(headers as Record<string, string>), ...extra }, body: String(body) });
};
const got = async () =>
  (await e2e.log('doubles')).flatMap(({ message }) =>
    typeof message === 'string' && message.startsWith('{') ? [JSON.parse(message) as Record<string, unknown>] : [],
  );

for (const mode of ['binary', 'structured'] as const)
  test(`${mode}: the handler gets the event, its own comes back the same way`, async () => {
    const answer = await send(eventOf(`${mode}-1`, 4), mode);
    assert.equal(answer.status, 200, answer.text);
    const back = HTTP.toEvent<{ n: number }>({ headers: Object.fromEntries(answer.headers), body: answer.text }) as CloudEvent<{
      n: number;
    }>;
    assert.deepEqual([back.id, back.type, back.data], [`${mode}-1-reply`, 'doubled', { n: 8 }]);
    assert.equal(answer.headers.has('ce-id'), mode === 'binary');
    assert.ok(answer.headers.has('x-swiftlet-request-id') && answer.headers.has('server-timing'));
  });

test('batched: each is an invocation; the answers are a batch, or the first failure', async () => {
  const type = { 'content-type': 'application/cloudevents-batch+json' };
  const batch = (numbers: number[]) =>
    e2e.call('/doubles/', { method: 'POST', headers: type, body: JSON.stringify(numbers.map((n) => eventOf(`batch-${n}`, n))) });
  const { status, text } = await batch([1, 2, 3]);
  assert.equal(status, 200, text);
  assert.deepEqual(
    (JSON.parse(text) as { data: { n: number } }[]).map(({ data }) => data.n),
    [2, 4, 6],
  );
  const failed = await batch([1, 13]);
  assert.deepEqual([failed.status, failed.json['code']], [502, 'HandlerError']);
});

test('nothing returned is 204, what is no event is the answer as it is, what is none is refused', async () => {
  assert.equal((await send(eventOf('a', 1, 'told'), 'binary')).status, 204);
  const plain = await send(eventOf('a', 1, 'plain'), 'binary');
  assert.deepEqual([plain.status, plain.json], [200, { plain: true }]);
  const none = await e2e.call('/doubles/', { method: 'POST', body: '{}' });
  assert.deepEqual([none.status, none.json['code'], none.headers.get('x-swiftlet-error')], [400, 'CloudEventInvalid', 'CloudEventInvalid']);
  assert.equal((await e2e.call('/doubles/')).status, 405);
});

test('its sender’s time holds', async () => {
  const late = await send(eventOf('slow', 1, 'slow'), 'binary', { 'x-swiftlet-timeout': '200ms' });
  assert.deepEqual([late.status, late.json['code']], [504, 'DeadlineExceeded']);
  assert.equal((await send(eventOf('a', 1), 'binary', { 'x-swiftlet-timeout': 'soon' })).status, 400);
});

test('that nobody waits for is stored once, however often it is sent', async () => {
  const later = { prefer: 'respond-async' };
  const event = eventOf('later', 5);
  const [first, again] = [await send(event, 'structured', later), await send(event, 'structured', later)];
  assert.deepEqual([first.status, again.status, again.json['id']], [202, 202, first.json['id']], again.text);
  const other = await send(eventOf('later', 6), 'structured', later);
  assert.deepEqual([other.status, other.json['code']], [422, 'IdempotencyKeyReused']);
  await eventually(got, (events) => events.some(({ id }) => id === 'later'));
  assert.equal((await got()).filter(({ id }) => id === 'later').length, 1);
});

test('a timer and a destination tell it CloudEvents', async () => {
  await e2e.publish('ends', 'export const handler = () => ({ fine: true });', {
    timers: { soon: { kind: 'rate', everyMs: 1_000 } },
    destinations: { success: { kind: 'function', function: 'doubles' } },
  });
  await e2e.publish('ticks', doubles, { events: 'cloudevents', timers: { soon: { kind: 'rate', everyMs: 1_000 } } });
  const record = await eventually(
    async () => (await got()).find(({ type }) => type === 'swiftlet.invocation.succeeded'),
    (found) => found !== undefined,
  );
  assert.deepEqual([record?.['source'], new CloudEvent(record as never).validate()], ['/functions/ends', true]);
  await eventually(
    async () => (await e2e.log('ticks')).map(({ message }) => String(message)),
    (lines) => lines.some((line) => line.includes('"type":"swiftlet.timer"')),
  );
});
