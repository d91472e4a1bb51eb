/** Functions' own connections under policy, from inside real sandboxes to hosts outside. Needs root, as full isolation does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { needsRoot } from '../e2e/needs.ts';
import { runSwiftlet } from '../cli/run-swiftlet.ts';
import { type E2e, eventually, openE2e } from '../e2e/functions.ts';
import { caller, tryReaching } from './caller.ts';
import { openOutside, type Outside } from './outside.ts';

const skip = needsRoot;
/** Nobody of the platform’s may take longer to refuse. */
const atOnceMs = 1_000;

let e2e: E2e;
let internet: Outside;
let closed: Outside;
before(async () => {
  if (skip !== false) return;
  internet = await openOutside({
    name: 'a',
    ranges: ['198.51.100.0/24', '203.0.113.0/24', '2001:db8:a::/48'],
    nameServer: '203.0.113.53',
    ttlSeconds: 1,
    names: {
      'api.test': ['198.51.100.10', '2001:db8:a::10'],
      'other.test': ['198.51.100.11'],
      'alias.test': ['api.test'],
      'hidden.test': ['denied.test'],
      'denied.test': ['198.51.100.12'],
      'rebound.test': ['10.77.0.1'],
      'metadata.test': ['169.254.169.254'],
      'own.test': ['192.0.2.149'],
      'x.wild.test': ['198.51.100.13'],
    },
  });
  closed = await openOutside({ name: 'b', ranges: ['10.77.0.0/24', '10.78.0.0/24', 'fd77::/64'] });
  e2e = await openE2e({ environment: { SWIFTLET_DNS: '203.0.113.53', SWIFTLET_EGRESS_ALLOW: '10.78.0.0/24' } });
});
after(async () => {
  if (skip !== false) return;
  await e2e[Symbol.asyncDispose]();
  await Promise.all([internet[Symbol.asyncDispose](), closed[Symbol.asyncDispose]()]);
});

const tries = (name: string, host: string, port = 80, kind = 'tcp') => tryReaching(e2e, name, host, port, kind);

const toldBy = async (name: string): Promise<string[]> =>
  (await e2e.log(name)).filter(({ level }) => level === 'platform').map(({ message }) => String(message));

test('internet is the default: public addresses are reached over IPv4 and IPv6, by name and with an alias', { skip }, async () => {
  await e2e.publish('plain', caller);
  for (const host of ['198.51.100.1', '203.0.113.200', '2001:db8:a::1', 'api.test', 'alias.test']) {
    assert.equal((await tries('plain', host)).outcome, 'hello', host);
  }
  // Nobody outside sees a sandbox’s address.
  assert.ok(internet.heard.some(({ kind }) => kind === 'connection'));
  assert.ok(internet.heard.every(({ from }) => !/198\.1[89]\.|fd53:/.test(from)));
});

test('always closed: private, link-local and metadata addresses, the host’s own, the platform’s ports, other sandboxes', {
  skip,
}, async () => {
  const hosts = [
    '10.77.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '127.0.0.2',
    '0.0.0.0',
    'fd77::1',
    'fd00:ec2::254',
    'fe80::1%eth0',
    '64:ff9b::a9fe:a9fe',
    '::ffff:10.77.0.1',
    '::ffff:169.254.169.254',
  ];
  // The host’s own: that at the cable to the outside, and that of the platform.
  hosts.push('192.0.2.149', 'fd99:25::1');
  for (const host of hosts) {
    const { outcome, ms } = await tries('plain', host);
    assert.match(outcome, /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EINVAL|EACCES)$/, host);
    assert.ok(ms < atOnceMs, `${host} took ${ms} ms`);
  }
  for (const url of [e2e.platform.gatewayUrl, e2e.platform.apiUrl]) {
    assert.equal((await tries('plain', '192.0.2.149', Number(new URL(url).port))).outcome, 'ECONNREFUSED');
  }
  assert.deepEqual(closed.heard, []);
  const neighbours = await tries('plain', '198.18.0.1');
  assert.equal(neighbours.outcome, 'ECONNREFUSED');
});

test('names that lead to closed addresses (DNS rebinding) lead nowhere', { skip }, async () => {
  for (const host of ['rebound.test', 'metadata.test', 'own.test'])
    assert.equal((await tries('plain', host)).outcome, 'ECONNREFUSED', host);
  assert.deepEqual(closed.heard, []);
});

test('what the operator opens is reached', { skip }, async () => {
  assert.equal((await tries('plain', '10.78.0.9')).outcome, 'hello');
});

test('the function’s log says which rule refused', { skip }, async () => {
  const told = await eventually(
    () => toldBy('plain'),
    (lines) => ['169.254.169.254:80', '192.0.2.149', 'private'].every((part) => lines.some((line) => line.includes(part))),
  );
  assert.ok(
    told.some((line) => /192\.0\.2\.149:80 \(TCP\) was refused: it is an address of the host/.test(line)),
    told.join('\n'),
  );
});

test('none: nothing is reached, no name is known, and both are said', { skip }, async () => {
  await e2e.publish('none', caller, { network: 'none' });
  for (const host of ['198.51.100.1', '2001:db8:a::1']) {
    const { outcome, ms } = await tries('none', host);
    assert.equal(outcome, 'ECONNREFUSED');
    assert.ok(ms < atOnceMs);
  }
  const datagram = await tries('none', '198.51.100.1', 53, 'udp');
  assert.match(datagram.outcome, /^(EHOSTUNREACH|EACCES|ECONNREFUSED)$/);
  assert.equal((await tries('none', 'api.test', 0, 'name')).outcome, 'ENOTFOUND');
  await eventually(
    () => toldBy('none'),
    (lines) =>
      lines.some((line) => line.includes('198.51.100.1:80 (TCP)') && line.includes('network: none')) &&
      lines.some((line) => line.includes('"api.test" was not resolved')),
  );
});

test('lists: what is allowed and nothing else, by range, port and name; what is denied wins', { skip }, async () => {
  await e2e.publish('lists', caller, {
    network: {
      allow: ['203.0.113.0/24:443', '[2001:db8:a::/64]:80', 'api.test:80', '*.wild.test', '198.51.100.128/25'],
      deny: ['203.0.113.7', '198.51.100.200:5432'],
    },
  });
  const cases: readonly [host: string, port: number, outcome: string][] = [
    ['203.0.113.1', 443, 'hello'],
    ['203.0.113.1', 80, 'ECONNREFUSED'],
    ['203.0.113.7', 443, 'ECONNREFUSED'],
    ['2001:db8:a::5', 80, 'hello'],
    ['2001:db8:a:1::5', 80, 'ECONNREFUSED'],
    ['198.51.100.200', 80, 'hello'],
    ['198.51.100.200', 5432, 'ECONNREFUSED'],
    // By its address, before its name was asked for: nobody knows that it is the name’s.
    ['198.51.100.10', 80, 'ECONNREFUSED'],
    ['api.test', 80, 'hello'],
    ['198.51.100.10', 80, 'hello'],
    ['api.test', 443, 'ECONNREFUSED'],
    ['x.wild.test', 5432, 'hello'],
    ['wild.test', 80, 'ENOTFOUND'],
    ['other.test', 80, 'ENOTFOUND'],
    ['10.77.0.1', 80, 'ECONNREFUSED'],
  ];
  for (const [host, port, outcome] of cases) assert.equal((await tries('lists', host, port)).outcome, outcome, `${host}:${port}`);
  assert.ok(!internet.heard.some(({ what }) => what === 'other.test' || what === 'wild.test'), 'a refused name was asked for outside');
  await eventually(
    () => toldBy('lists'),
    (lines) =>
      [
        /203\.0\.113\.7:443 \(TCP\) was refused: the function’s "network.deny" has it: 203\.0\.113\.7$/,
        /203\.0\.113\.1:80 \(TCP\) was refused: the function’s "network.allow" does not have it/,
        /the name "other\.test" was not resolved: the function’s "network.allow" does not have it/,
      ].every((said) => lines.some((line) => said.test(line))),
  );
});

test('a denied name is not resolved, nor is another name of it', { skip }, async () => {
  await e2e.publish('denies', caller, { network: { deny: ['denied.test', '*.wild.test'] } });
  for (const host of ['denied.test', 'hidden.test', 'x.wild.test']) assert.equal((await tries('denies', host)).outcome, 'ENOTFOUND', host);
  assert.equal((await tries('denies', 'other.test')).outcome, 'hello');
});

test('a policy that was gone for a while is whole when it comes again', { skip }, async () => {
  const network = { allow: ['other.test:80'] };
  for (let time = 1; time <= 2; time++) {
    await e2e.publish('returns', caller, { network });
    assert.equal((await tries('returns', 'other.test')).outcome, 'hello', `time ${time}`);
    await e2e.platform.api.remove('returns');
    // Its rules go with the next change after its last sandbox has ended.
    await eventually(
      () => e2e.platform.api.metrics('agent'),
      (metrics) => !metrics.includes('swiftlet_instances{tenant="default",function="returns"'),
    );
    await e2e.publish('changes', `${caller} // ${time}`);
  }
});

test('a name whose server is silent ends in an error, not in a hang', { skip }, async () => {
  const { outcome, ms } = await tries('plain', 'silent.test', 0, 'name');
  assert.match(outcome, /^(EAI_AGAIN|ENOTFOUND)$/);
  assert.ok(ms < 6_000, `it took ${ms} ms`);
});

test('the loopback is the sandbox’s own, and works', { skip }, async () => {
  await e2e.publish(
    'loops',
    `import http from 'node:http'; export const handler = () => new Promise((resolve) => { const server = http.createServer((_, response) => response.end('own')).listen(0, '127.0.0.1', async () => { const text = await (await fetch('http://127.0.0.1:' + server.address().port)).text(); server.close(); resolve(text); }); });`,
    { network: 'none' },
  );
  assert.equal((await e2e.call('/loops/')).text, '"own"');
});

test('what a function sent, was sent, opened and was refused is counted for it', { skip }, async () => {
  const { networkCounts } = (await (
    await fetch(`${e2e.platform.apiUrl}/v1/functions/lists`, { headers: { authorization: `Bearer ${e2e.platform.token}` } })
  ).json()) as { networkCounts: Record<string, number> };
  assert.equal(networkCounts['connections'], 6);
  assert.ok((networkCounts['refused'] ?? 0) >= 7, JSON.stringify(networkCounts));
  // Five connections with a handshake and five bytes each way, at least.
  for (const way of ['sentBytes', 'receivedBytes']) assert.ok((networkCounts[way] ?? 0) > 6 * 3 * 52, JSON.stringify(networkCounts));
  const metrics = await e2e.platform.api.metrics('agent');
  assert.match(metrics, /^swiftlet_network_connections_total{tenant="default",function="lists"} 6$/m);
  const described = await runSwiftlet(['describe', 'lists'], {
    SWIFTLET_API_URL: e2e.platform.apiUrl,
    SWIFTLET_TOKEN: e2e.platform.token,
    NO_COLOR: '1',
  });
  assert.match(described.stdout, /^network +allow 203\.0\.113\.0\/24:443, .*; deny 203\.0\.113\.7/m);
  assert.match(described.stdout, /^connections +6 opened, \d+ KiB sent, \d+ KiB received, \d+ packets refused/m);
});

test('a connection that is kept goes on after a freeze', { skip }, async () => {
  await e2e.publish(
    'keeps',
    `import net from 'node:net'; let socket; let opened = 0;
    export const handler = () => new Promise((resolve, reject) => { if (!socket) { opened += 1; socket = net.connect(80, '198.51.100.1'); socket.on('error', reject); } socket.once('data', (data) => resolve({ data: String(data), opened })); socket.write('ping'); });`,
    { freezeMs: 50 },
  );
  assert.deepEqual((await e2e.call('/keeps/')).json, { data: 'ping', opened: 1 });
  await eventually(
    () => e2e.platform.api.instances('keeps'),
    ([instance]) => instance?.state === 'frozen',
  );
  assert.deepEqual((await e2e.call('/keeps/')).json, { data: 'ping', opened: 1 });
});
