import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { before, test } from 'node:test';
import { connect } from 'node:tls';
import { freePort } from '../../bench/free-port.ts';
import type { Authority } from '../../src/control/hosts/authority.ts';
import { connectCalls, serveCalls } from '../../src/wire/calls.ts';
import { encodeFrame } from '../../src/wire/frames.ts';
import { eventually } from '../e2e/functions.ts';
import { certificateFor, openAuthority, secureAt } from './secure-places.ts';

let authority: Authority;
let elsewhere: Authority;
before(async () => {
  [authority, elsewhere] = [await openAuthority(), await openAuthority()];
});

test('an answer and notices in both directions, over TLS 1.3; each end knows the other’s role and host', async () => {
  const port = await freePort();
  const here = secureAt(port, await certificateFor(authority, 'control'), ['gateway']);
  const there = secureAt(port, await certificateFor(authority, 'gateway'), ['control']);
  const heard = Promise.withResolvers<unknown>();
  await using _server = await serveCalls(here, 'control', {
    ask: (method, body, { role, host }) => ({ method, body, role, host }),
    notice: (method, _body, peer) => peer.notify(`${method} back`, null),
  });
  await using client = connectCalls(there, 'gateway', { notice: (method) => heard.resolve(method) });
  assert.deepEqual(await client.ask('echo', 1), { method: 'echo', body: 1, role: 'gateway', host: 'edge' });
  client.notify('there', null);
  assert.equal(await heard.promise, 'there back');
  assert.deepEqual([here.proofs[0]?.role, there.proofs[0]?.role, here.refusals, there.refusals], ['gateway', 'control', [], []]);
});

test('an older TLS is refused', async () => {
  const port = await freePort();
  const here = secureAt(port, await certificateFor(authority, 'control'), ['gateway']);
  await using _server = await serveCalls(here, 'control', {});
  const { key, certificate: cert, authority: ca } = await certificateFor(authority, 'gateway');
  const refused = here.nextRefusal();
  const socket = connect({ host: here.host, port, key, cert, ca, maxVersion: 'TLSv1.2', rejectUnauthorized: false });
  socket.on('error', () => undefined);
  assert.match(await refused, /TLS/);
});

/** What a server makes of a client, and whether the client ever got an answer. */
async function refusedFor(own: Parameters<typeof secureAt>[1], greetsAs = 'gateway'): Promise<string> {
  const port = await freePort();
  const here = secureAt(port, await certificateFor(authority, 'control'), ['gateway', 'agent']);
  let greeted = 0;
  await using _server = await serveCalls(here, 'control', { ask: () => 'answered', opened: () => (greeted += 1) });
  const refused = here.nextRefusal();
  await using client = connectCalls(secureAt(port, own, ['control']), greetsAs);
  await assert.rejects(client.ask('anything', null, 300), { code: 'Unavailable' });
  assert.equal(greeted, 0);
  return await refused;
}

test('a certificate of another authority is refused', async () => {
  const theirs = await certificateFor(elsewhere, 'gateway');
  assert.match(await refusedFor({ ...theirs, authority: authority.certificate }), /not of an authority that is trusted here/);
});

test('a certificate of another role is refused', async () => {
  assert.match(await refusedFor(await certificateFor(authority, 'relay')), /for the role relay; here it is to be gateway or agent/);
});

test('a certificate that has ended is refused', async () => {
  const past = await openAuthority(() => Date.now() - 120_000);
  const ended = await past.make({ role: 'gateway', host: 'edge', lifeMs: 60_000 });
  const port = await freePort();
  const own = await certificateFor(past, 'control', 600_000);
  const here = secureAt(port, own, ['gateway']);
  await using _server = await serveCalls(here, 'control', { ask: () => 'answered' });
  const refused = here.nextRefusal();
  await using client = connectCalls(secureAt(port, ended, ['control']), 'gateway');
  await assert.rejects(client.ask('anything', null, 300), { code: 'Unavailable' });
  assert.match(await refused, /its certificate ended at/);
});

test('whoever greets as another role than the certificate’s is cut off', async () => {
  assert.match(
    await refusedFor(await certificateFor(authority, 'gateway'), 'agent'),
    /calls itself agent, and its certificate is for the role gateway/,
  );
});

test('without a certificate, nothing that is sent is read', async () => {
  const port = await freePort();
  const here = secureAt(port, await certificateFor(authority, 'control'), ['gateway']);
  let greeted = 0;
  await using _server = await serveCalls(here, 'control', { opened: () => (greeted += 1) });
  const refused = here.nextRefusal();
  const socket = connect({ host: here.host, port, ca: authority.certificate, checkServerIdentity: () => undefined, minVersion: 'TLSv1.3' });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.write(encodeFrame(0x40, 0, JSON.stringify({ role: 'gateway', protocol: 1 })));
  assert.match(await refused, /showed no certificate/);
  await closed;
  assert.equal(greeted, 0);
});

test('what does not speak TLS is refused', async () => {
  const port = await freePort();
  const here = secureAt(port, await certificateFor(authority, 'control'), ['gateway']);
  await using _server = await serveCalls(here, 'control', {});
  const refused = here.nextRefusal();
  const socket = connectPlain(port, here.host);
  socket.on('error', () => undefined);
  socket.write(encodeFrame(0x40, 0, JSON.stringify({ role: 'gateway', protocol: 1 })));
  assert.match(await refused, /TLS/);
  socket.destroy();
});

test('a client says nothing to a server whose certificate is not the role’s it wants', async () => {
  const port = await freePort();
  const here = secureAt(port, await certificateFor(authority, 'relay'), ['gateway']);
  const there = secureAt(port, await certificateFor(authority, 'gateway'), ['control']);
  await using _server = await serveCalls(here, 'control', { ask: () => 'answered' });
  await using client = connectCalls(there, 'gateway');
  await assert.rejects(client.ask('secret', null, 300), { code: 'Unavailable' });
  assert.match(there.refusals[0] ?? '', /for the role relay; here it is to be control/);
});

test('certificates are renewed under calls, and none fails', async () => {
  // A client makes its next connection within a third of that.
  const lifeMs = 9_000;
  const port = await freePort();
  const here = secureAt(port, await certificateFor(authority, 'control', lifeMs), ['gateway']);
  const there = secureAt(port, await certificateFor(authority, 'gateway', lifeMs), ['control']);
  let [opened, asked, isOver] = [0, 0, false];
  await using server = await serveCalls(here, 'control', {
    ask: async (_method, body) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return body;
    },
    opened: () => (opened += 1),
  });
  await using client = connectCalls(there, 'gateway');
  const ask = async () => {
    while (!isOver) {
      const number = ++asked;
      assert.equal(await client.ask('echo', number), number);
    }
  };
  const asking = Promise.all([ask(), ask(), ask()]);
  try {
    for (let renewal = 1; renewal <= 3; renewal++) {
      here.credentials.replace(await certificateFor(authority, 'control', lifeMs));
      there.credentials.replace(await certificateFor(authority, 'gateway', lifeMs));
      await eventually(
        () => opened,
        (connections) => connections > renewal,
      );
      const before = asked;
      await eventually(
        () => asked,
        (now) => now > before + 10,
      );
    }
  } finally {
    isOver = true;
    await asking;
  }
  // The one before is closed when the calls on it have ended.
  await eventually(
    () => server.peers.size,
    (size) => size === 1,
  );
  assert.deepEqual([here.refusals, there.refusals], [[], []]);
});

test('a connection whose certificate ended, and was not renewed, is cut', async () => {
  const port = await freePort();
  const here = secureAt(port, await certificateFor(authority, 'control'), ['gateway']);
  const there = secureAt(port, await certificateFor(authority, 'gateway', 2_500), ['control']);
  await using _server = await serveCalls(here, 'control', { ask: () => 'answered' });
  await using client = connectCalls(there, 'gateway');
  assert.equal(await client.ask('now', null), 'answered');
  // Others that it tries to make meanwhile are refused before.
  await eventually(
    () => here.refusals,
    (all) => all.some((why) => why.includes('made no new connection')),
  );
  await assert.rejects(client.ask('later', null, 300), { code: 'Unavailable' });
});
