/** A platform whose events are stored in a stream of NATS. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type NatsServer, startNats } from '../brokers/nats.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { roleOf } from './role-processes.ts';

let nats: NatsServer;
let e2e: E2e;
before(async () => {
  nats = await startNats();
  e2e = await openE2e({ environment: { SWIFTLET_EVENT_LOG: `${nats.url}/events` } });
  await e2e.publish('echo', 'export const handler = (event) => { console.log(`ran ${event.n}`); return event; };', {
    // What is under way as the role is killed counts as an attempt.
    async: { retries: 5, backoffMs: 50 },
  });
});
after(async () => {
  await e2e[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
});

const headers = () => ({ authorization: `Bearer ${e2e.platform.token}` });
const send = (n: number) =>
  e2e.call('/_/invoke/echo', { method: 'POST', body: JSON.stringify({ n }), headers: { ...headers(), prefer: 'respond-async' } });
const stateOf = async (id: unknown) => (await e2e.call(`/_/events/${String(id)}`, { headers: headers() })).json['state'];
const isUp = async () => {
  const { roles } = (await (await fetch(`${e2e.platform.apiUrl}/healthz`)).json()) as { roles: { events: { ready: boolean } } };
  return roles.events.ready;
};

test('events are accepted and delivered, and outlive a kill of the role', async () => {
  const ids: unknown[] = [];
  for (let n = 0; n < 10; n++) {
    const { status, json } = await send(n);
    assert.equal(status, 202);
    ids.push(json['id']);
  }
  process.kill(roleOf(e2e.platform.pid, 'events'), 'SIGKILL');
  for (const id of ids)
    await eventually(
      () => stateOf(id),
      (state) => state === 'succeeded',
    );
});

test('without NATS an event gets 503 and not 202, requests that are waited for go on, and so do events when it is back', async () => {
  await nats.kill();
  const away = await send(100);
  assert.deepEqual([away.status, away.json['code']], [503, 'EventNotStored']);
  const sync = await e2e.call('/_/invoke/echo', { method: 'POST', body: '{"n":101}', headers: headers() });
  assert.deepEqual([sync.status, sync.json], [200, { n: 101 }]);
  await nats.start();
  const back = await eventually(
    () => send(102),
    ({ status }) => status === 202,
  );
  await eventually(
    () => stateOf(back.json['id']),
    (state) => state === 'succeeded',
  );
});

test('a role that starts without NATS says so, and serves when it is there', async () => {
  await nats.kill();
  process.kill(roleOf(e2e.platform.pid, 'events'), 'SIGKILL');
  await eventually(isUp, (up) => !up);
  await nats.start();
  await eventually(isUp, Boolean);
  // The gateway looks for the role by itself, every half second.
  await eventually(
    () => send(200),
    ({ status }) => status === 202,
  );
});
