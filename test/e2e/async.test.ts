/** Requests that nobody waits for, on a real platform: accepted means stored, and every event ends. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Answer, type E2e, eventually, openE2e } from './functions.ts';
import { childrenOf } from './role-processes.ts';

const echo = 'export const handler = (event, context) => ({ event, id: context.awsRequestId });';
const throws = 'export const handler = () => { throw new Error("never"); };';
const later = { prefer: 'respond-async' };
const quick = { retries: 2, backoffMs: 100 };

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
  await e2e.publish('echo', echo, { async: quick });
  await e2e.publish('throws', throws, { async: quick });
});
after(() => e2e[Symbol.asyncDispose]());

const authorised = () => ({ authorization: `Bearer ${e2e.platform.token}` });
const idOf = ({ status, json, text }: Answer): string => {
  assert.equal(status, 202, text);
  return String(json['id']);
};
const eventOf = async (id: string) => (await e2e.call(`/_/events/${id}`, { headers: authorised() })).json;
const endOf = (id: string) =>
  eventually(
    () => eventOf(id),
    ({ state }) => state !== 'waiting' && state !== 'running',
  );
const control = async (path: string, body?: object) => {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${e2e.platform.apiUrl}${path}`, { ...init, headers: { ...init.headers, ...authorised() } });
  return (await response.json()) as Record<string, unknown>;
};
const healthOf = async (): Promise<Record<string, { ready: boolean }>> => {
  const { roles } = (await (await fetch(`${e2e.platform.apiUrl}/healthz`)).json()) as { roles: Record<string, { ready: boolean }> };
  return roles;
};
const titleOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};
const metric = async (name: string): Promise<string> => {
  const text = await e2e.platform.api.metrics();
  return text.split('\n').find((line) => line.startsWith(name)) ?? '';
};

test('a request to a function’s URL arrives as it was sent; its state has the answer', async () => {
  const accepted = await e2e.call('/echo/orders?x=1', {
    method: 'POST',
    body: 'text',
    headers: { ...later, 'content-type': 'text/plain', 'x-mine': 'a' },
  });
  const id = idOf(accepted);
  assert.deepEqual([accepted.headers.get('location'), accepted.headers.get('preference-applied')], [`/_/events/${id}`, 'respond-async']);
  const event = await endOf(id);
  assert.deepEqual([event['state'], event['attempts'], event['function']], ['succeeded', 1, 'echo']);
  const result = event['result'] as { status: number; body: string };
  const answer = JSON.parse(result.body) as { id: string; event: Record<string, unknown> };
  assert.deepEqual([result.status, answer.id], [200, id]);
  assert.deepEqual([answer.event['rawPath'], answer.event['rawQueryString'], answer.event['body']], ['/orders', 'x=1', 'text']);
  const headers = answer.event['headers'] as Record<string, string>;
  assert.deepEqual(
    [headers['x-mine'], headers['x-forwarded-for'], headers['host']],
    ['a', '127.0.0.1', new URL(e2e.platform.gatewayUrl).host],
  );
  assert.ok(!Object.keys(headers).some((name) => name.startsWith('x-swiftlet-')));
  assert.equal((answer.event['requestContext'] as { http: { sourceIp: string } }).http.sourceIp, '127.0.0.1');
});

test('all attempts of an event are in the log under its id', async () => {
  const id = idOf(await e2e.call('/echo/', { headers: later }));
  await endOf(id);
  await eventually(
    () => e2e.log('echo'),
    (records) => records.some(({ level, requestId }) => level === 'report' && requestId === id),
  );
});

test('from the command line: invoke --async, event, dlq', async () => {
  const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl };
  const swiftlet = (...args: string[]) => execFileSync(process.execPath, [cli, ...args], { encoding: 'utf8', env });
  const id = swiftlet('invoke', 'echo', '--async', '--data', '{"n":1}').trim();
  const event = await endOf(id);
  assert.deepEqual(JSON.parse((event['result'] as { body: string }).body), { event: { n: 1 }, id });
  assert.match(swiftlet('event', id), /state +succeeded/);
  const failing = swiftlet('invoke', 'throws', '--async', '--data', '{"n":2}').trim();
  await endOf(failing);
  assert.match(swiftlet('dlq', 'list', '--function', 'throws'), new RegExp(`${failing} +throws .* 3 +HandlerError`));
  assert.match(swiftlet('dlq', 'show', failing), /threw Error[^]*\{"n":2\}/);
  await e2e.publish('throws', echo, { async: quick });
  assert.match(swiftlet('dlq', 'redrive', failing), /1 dead letter is delivered anew/);
  assert.equal((await endOf(failing))['state'], 'succeeded');
  await e2e.publish('throws', throws, { async: quick });
});

test('a poison event: attempts as configured, then one dead letter with the original bytes', async () => {
  const body = Buffer.from([0, 1, 2, 255]);
  const id = idOf(await e2e.call('/throws/', { method: 'POST', body, headers: later }));
  const event = await endOf(id);
  assert.deepEqual([event['state'], event['reason'], event['attempts']], ['dead-lettered', 'attempts', 3]);
  assert.deepEqual((event['error'] as { code: string }).code, 'HandlerError');
  const letter = await control(`/v1/dead-letters/${id}`);
  assert.deepEqual(Buffer.from(String(letter['body']), 'base64'), body);
  const runs = async () => (await e2e.log('throws')).filter(({ level, requestId }) => level === 'report' && requestId === id).length;
  await eventually(runs, (count) => count === 3);
  assert.deepEqual(await control('/v1/dead-letters/purge', { ids: [id] }), { count: 1, more: false });
  assert.equal((await control(`/v1/dead-letters/${id}`))['code'], 'EventNotFound');
});

test('discarded by policy, and refused for a function that is gone', async () => {
  await e2e.publish('loses', throws, { async: { ...quick, retries: 0, onFailure: 'discard' } });
  assert.equal((await endOf(idOf(await e2e.call('/loses/', { headers: later }))))['state'], 'discarded');
  await e2e.publish('goes', throws, { async: { retries: 5, backoffMs: 700 } });
  const id = idOf(await e2e.call('/goes/', { headers: later }));
  await eventually(
    () => eventOf(id),
    ({ attempts }) => attempts === 1,
  );
  await e2e.platform.api.remove('goes');
  const event = await endOf(id);
  assert.deepEqual(
    [event['state'], event['reason'], (event['error'] as { code: string }).code],
    ['dead-lettered', 'refused', 'FunctionNotFound'],
  );
});

test('who has no token learns nothing of an event', async () => {
  const id = idOf(await e2e.call('/echo/', { headers: later }));
  assert.equal((await e2e.call(`/_/events/${id}`)).status, 401);
  assert.equal((await e2e.call('/_/invoke/echo', { method: 'POST', body: '{}', headers: later })).status, 401);
  const unknown = await e2e.call('/_/events/0196b0f2-0000-7000-8000-000000000000', { headers: authorised() });
  assert.deepEqual([unknown.status, unknown.json['code']], [404, 'EventNotFound']);
  assert.equal((await e2e.call(`/_/events/${id}`, { method: 'DELETE', headers: authorised() })).status, 405);
});

test('the events role away: asynchronous requests get 503 at once, others go on, the health tells', async () => {
  assert.equal((await e2e.call('/echo/')).status, 200);
  const before = idOf(await e2e.call('/echo/', { headers: later }));
  const running = () => childrenOf(e2e.platform.pid).find((pid) => titleOf(pid).startsWith('swiftlet events'));
  // Each time the supervisor waits longer before it starts the role again.
  for (let kills = 0; kills < 5; kills += 1) process.kill((await eventually(running, (pid) => pid !== undefined)) ?? 0, 'SIGKILL');
  await eventually(running, (pid) => pid === undefined);
  const startedAt = performance.now();
  const [away, sync] = await Promise.all([e2e.call('/echo/', { headers: later }), e2e.call('/echo/')]);
  assert.deepEqual([away.status, away.json['code'], away.headers.get('retry-after')], [503, 'EventNotStored', '1']);
  assert.equal(sync.status, 200);
  assert.ok(performance.now() - startedAt < 4_000, 'it was waited for');
  await eventually(healthOf, (roles) => roles['events']?.ready === false);
  await eventually(healthOf, (roles) => roles['events']?.ready === true);
  assert.equal((await endOf(before))['state'], 'succeeded');
  assert.equal((await e2e.call('/echo/', { headers: later })).status, 202);
});

test('events with one order key run one after the other; one that fails holds up those behind it, not others', async () => {
  const code = `let running = 0;
    export const handler = async ({ body }, { awsRequestId }) => {
      running += 1;
      console.log('begins ' + body + ' beside ' + (running - 1));
      await new Promise((resolve) => setTimeout(resolve, 30));
      running -= 1;
      if (body === 'a1' && !globalThis.failed) { globalThis.failed = true; throw new Error('once'); }
    };`;
  await e2e.publish('ordered', code, { async: { ...quick, inFlight: 10 }, concurrency: 10, maximum: 1 });
  const send = (body: string, key?: string) =>
    e2e.call('/ordered/', { method: 'POST', body, headers: { ...later, ...(key === undefined ? {} : { 'x-swiftlet-order-key': key }) } });
  const ids: string[] = [];
  for (const body of ['a1', 'a2', 'a3']) ids.push(idOf(await send(body, 'a')));
  ids.push(idOf(await send('free')));
  for (const id of ids) assert.equal((await endOf(id))['state'], 'succeeded');
  const lines = (await e2e.log('ordered')).map(({ message }) => String(message)).filter((line) => line.startsWith('begins'));
  const order = lines.map((line) => line.split(' ')[1]);
  assert.deepEqual(
    order.filter((body) => body !== 'free'),
    ['a1', 'a1', 'a2', 'a3'],
  );
  assert.ok(order.indexOf('free') < order.indexOf('a2'), 'an event without a key waited');
});

test('a request that is sent again with its idempotency key is the same event', async () => {
  const headers = { ...later, 'idempotency-key': '"order-1"' };
  const send = (body: string) => e2e.call('/echo/', { method: 'POST', body, headers });
  const [first, ...again] = await Promise.all([send('x'), send('x'), send('x')]);
  const id = idOf(first);
  for (const answer of again) assert.equal(idOf(answer), id);
  assert.equal((await endOf(id))['attempts'], 1);
  assert.equal(idOf(await send('x')), id);
  const other = await send('y');
  assert.deepEqual([other.status, other.json['code']], [422, 'IdempotencyKeyReused']);
});

test('the metrics tell what was accepted, tried and ended', async () => {
  const before = Number((await metric('swiftlet_events_accepted_total{tenant="default",function="echo"}')).split(' ')[1] ?? 0);
  await endOf(idOf(await e2e.call('/echo/', { headers: later })));
  const [accepted, tried, ended, held, commits] = await Promise.all(
    [
      'swiftlet_events_accepted_total{tenant="default",function="echo"}',
      'swiftlet_event_attempts_total{tenant="default",function="echo",outcome="answered"}',
      'swiftlet_events_ended_total{tenant="default",function="echo",outcome="succeeded"}',
      'swiftlet_events{tenant="default",function="echo",state="succeeded"}',
      'swiftlet_event_commit_seconds_count',
    ].map(metric),
  );
  assert.equal(Number(accepted?.split(' ')[1]), before + 1);
  for (const line of [tried, ended, held, commits]) assert.match(line ?? '', / [1-9]\d*$/);
});
