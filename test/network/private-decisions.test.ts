/** What is decided of private networks: which proxy is used, what the router is told, what is said of them. Without a network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, nested } from '../../src/agent/linux/netlink.ts';
import { parseFlow } from '../../src/agent/linux/conntrack.ts';
import { describeState, failureOf } from '../../src/agent/network/private/network-state.ts';
import { choiceId, privateChanges, type PrivateRules } from '../../src/agent/network/private/private-rules.ts';
import { checksum, provocation } from '../../src/agent/network/private/provocation.ts';
import {
  afterProbe,
  chooseWay,
  goneDown,
  type Healths,
  type ProxyHealth,
  unknown,
  type Way,
} from '../../src/agent/network/private/proxy-choice.ts';
import { overlap, overlapping, privateNetworkSettingsSchema } from '../../src/model/private-network.ts';
import { networkPolicySchema, policyText } from '../../src/model/network-policy.ts';
import { routerRules } from '../../src/agent/network/router-rules.ts';
import { guardRules } from '../../src/agent/network/private/tunnel-guard.ts';
import { readProxyCounts } from '../../src/proxy/proxy-counts.ts';

const through = (place: 0 | 1): Way => ({ kind: 'through', place });
const cut: Way = { kind: 'cut' };
const up: ProxyHealth = { kind: 'up', missed: 0 };
const down: ProxyHealth = { kind: 'down' };
const returning: ProxyHealth = { kind: 'returning', answered: 1 };

/** What becomes of a proxy’s health by answers (+) and misses (-). */
const healthAfter = (probes: string, from: ProxyHealth = unknown): ProxyHealth['kind'] =>
  Array.from(probes).reduce((health, probe) => afterProbe(health, probe === '+'), from).kind;

test('a proxy is down after three misses in a row, and up again after five answers in a row', () => {
  const cases: readonly (readonly [probes: string, kind: ProxyHealth['kind']])[] = [
    ['', 'unknown'],
    ['+', 'up'],
    ['--', 'unknown'],
    ['---', 'down'],
    ['+--+--', 'up'],
    ['+---', 'down'],
    ['+---+', 'returning'],
    ['+---++++', 'returning'],
    ['+---+++++', 'up'],
    ['+---++++-', 'down'],
    ['+---++++-+', 'returning'],
  ];
  for (const [probes, kind] of cases) assert.equal(healthAfter(probes), kind, probes);
});

test('new connections stay with a proxy until it is down, and go to the best one then', () => {
  const cases: readonly (readonly [before: Way, healths: Healths, after: Way])[] = [
    [through(0), [unknown, up], through(0)],
    [through(0), [up, up], through(0)],
    [through(1), [up, up], through(1)],
    [through(0), [down, up], through(1)],
    [through(0), [down, returning], through(1)],
    [through(0), [down, unknown], through(1)],
    [through(0), [down, down], cut],
    [through(1), [returning, down], through(0)],
    [through(0), [returning, up], through(0)],
    [cut, [down, down], cut],
    [cut, [down, returning], through(1)],
    [cut, [returning, up], through(1)],
    [cut, [up, up], through(0)],
  ];
  for (const [before, healths, after] of cases) assert.deepEqual(chooseWay(before, healths), after, JSON.stringify([before, healths]));
  assert.deepEqual(goneDown([up, up], [down, up]), [0]);
  assert.deepEqual(goneDown([down, returning], [down, down]), [1]);
});

test('a proxy that comes and goes is left once', () => {
  let way: Way = through(0);
  let healths: Healths = [up, up];
  let changes = 0;
  for (const probe of '+---+-+++-+----+++-++---+') {
    healths = [afterProbe(healths[0], probe === '+'), afterProbe(healths[1], true)];
    const next = chooseWay(way, healths);
    if (JSON.stringify(next) !== JSON.stringify(way)) changes += 1;
    way = next;
  }
  assert.equal(changes, 1);
});

const rules = (change: Partial<PrivateRules> = {}): PrivateRules => ({
  networks: [{ network: { number: 5, ranges: ['10.20.0.0/24', '10.30.0.0/16'] }, way: through(0) }],
  choices: [{ id: choiceId('acme', ['office']), numbers: [5] }],
  ...change,
});

test('the router is told of what changes, and of nothing else', () => {
  const nothing: PrivateRules = { networks: [], choices: [] };
  assert.deepEqual(privateChanges(rules(), rules()), []);
  const [made = ''] = privateChanges(nothing, rules());
  assert.match(made, /ip daddr \{ 10\.20\.0\.0\/24, 10\.30\.0\.0\/16 \} meta mark set 10 ct mark set 10 accept/);
  assert.match(made, /elements = \{ "swpn10" \. 10, "swpn11" \. 11 \}/);
  const elsewhere = rules({ networks: [{ network: { number: 5, ranges: ['10.20.0.0/24', '10.30.0.0/16'] }, way: through(1) }] });
  const [redirected = '', ...more] = privateChanges(rules(), elsewhere);
  assert.match(redirected, /^flush chain inet swiftlet network_5\nadd rule .* ct mark set 11 accept$/);
  assert.deepEqual(more, []);
  // What refers goes before what is referred to.
  assert.deepEqual(
    privateChanges(rules(), nothing).map((command) => command.replace(/private_\w+/, 'private_x')),
    [
      'delete chain inet swiftlet private_x',
      'delete chain inet swiftlet network_5',
      'delete element inet swiftlet ways { "swpn10" . 10, "swpn11" . 11 }',
    ],
  );
  assert.notEqual(choiceId('acme', ['office']), choiceId('other', ['office']));
  assert.equal(choiceId('acme', ['a', 'b']), choiceId('acme', ['b', 'a']));
});

test('what comes out of a tunnel is let in for connections of that tunnel alone, and to the router only as an answer', () => {
  const text = routerRules({
    plan: { id: '0badcafe', block: 3 },
    opened: [],
    policies: [],
    bound: new Map([[3, { policy: 'internet', choice: 'abc', divisor: 1 }]]),
    privately: rules(),
  });
  assert.match(text, /chain forward \{[^}]*policy drop;\s+iifname "swpn\*" goto from_tunnel/);
  assert.match(text, /chain from_tunnel \{\s+iifname \. ct mark != @ways drop/);
  assert.match(
    text,
    /iifname "swpn\*" ct state established accept\s+iifname "swpn\*" drop\s+ct state invalid drop\s+ip daddr 198\.18\.96\.1/,
  );
  assert.match(text, /map private \{ type ifname : verdict; elements = \{ "s3" : goto private_abc \} \}/);
  // Without a proxy it leads nowhere, with a mark that no tunnel has.
  assert.match(
    routerRules({
      plan: { id: '0badcafe', block: 3 },
      opened: [],
      policies: [],
      bound: new Map(),
      privately: rules({ networks: [{ network: { number: 5, ranges: ['10.20.0.0/24'] }, way: cut }] }),
    }),
    /ct mark set 16777216 accept/,
  );
});

test('packets of a tunnel are taken from its far end only', () => {
  const tunnels = [
    { id: 10, address: '192.0.2.10' },
    { id: 11, address: '192.0.2.11' },
  ];
  assert.equal(
    guardRules('swiftlet_0badcafe', tunnels),
    `flush chain inet swiftlet_0badcafe tunnels
add rule inet swiftlet_0badcafe tunnels udp dport 14789 @th,96,24 10 ip saddr != 192.0.2.10 drop
add rule inet swiftlet_0badcafe tunnels udp dport 14789 @th,96,24 11 ip saddr != 192.0.2.11 drop`,
  );
});

test('a segment that provokes an answer is whole', () => {
  const flow = {
    protocol: 6,
    source: Buffer.from([198, 18, 0, 7]),
    destination: Buffer.from([10, 20, 0, 5]),
    sourcePort: 40_000,
    destinationPort: 5_432,
  };
  const packet = provocation(flow, 1);
  assert.deepEqual([...packet.subarray(12, 20)], [10, 20, 0, 5, 198, 18, 0, 7]);
  assert.deepEqual([packet.readUInt16BE(20), packet.readUInt16BE(22)], [5_432, 40_000]);
  const pseudoHeader = Buffer.concat([packet.subarray(12, 20), Buffer.from([0, 6, 0, packet.length - 20])]);
  assert.equal(checksum(Buffer.concat([pseudoHeader, packet.subarray(20)])), 0);
});

test('a connection is read as the kernel tells of it', () => {
  const addresses = nested(1, attribute(1, Buffer.from([198, 18, 0, 7])), attribute(2, Buffer.from([10, 20, 0, 5])));
  const protocol = nested(
    2,
    attribute(1, Buffer.from([6])),
    attribute(2, Buffer.from([0x9c, 0x40])),
    attribute(3, Buffer.from([0x15, 0x38])),
  );
  assert.deepEqual(parseFlow(Buffer.concat([Buffer.alloc(4), nested(1, addresses, protocol)])), {
    protocol: 6,
    source: Buffer.from([198, 18, 0, 7]),
    destination: Buffer.from([10, 20, 0, 5]),
    sourcePort: 40_000,
    destinationPort: 5_432,
  });
  assert.equal(parseFlow(Buffer.alloc(4)), undefined);
});

test('what is wrong is said with what to do about it', () => {
  const tunnels = [
    { id: 10, address: '192.0.2.10' },
    { id: 11, address: '192.0.2.11' },
  ] as const;
  const made = (healths: Healths, way: Way) => describeState(tunnels, ['192.0.2.1', undefined], { kind: 'made', healths, way, counts: [] });
  assert.equal(made([up, up], through(0)).state, 'connected');
  assert.deepEqual(
    made([up, up], through(1)).proxies.map(({ isActive }) => isActive),
    [false, true],
  );
  assert.equal(made([unknown, unknown], through(0)).state, 'connecting');
  const degraded = made([down, up], through(1));
  assert.equal(degraded.state, 'degraded');
  assert.match(
    degraded.detail ?? '',
    /on 192\.0\.2\.10 run "swiftlet proxy --tunnel 10 --platform 192\.0\.2\.1", and let UDP port 14789 through/,
  );
  assert.match(made([down, down], cut).detail ?? '', /192\.0\.2\.10.*192\.0\.2\.11/);
  assert.match(describeState(tunnels, [], { kind: 'failed', ...failureOf(new Error('EEXIST')) }).detail ?? '', /EEXIST.*deploy once more/);
});

test('settings: malformed and overlapping ranges, and what is no proxy, are refused with the place', () => {
  const proxies = ['192.0.2.10', '192.0.2.11'];
  const cases: readonly (readonly [settings: unknown, path: string, message: RegExp])[] = [
    [{ ranges: [], proxies }, 'ranges', /a range at least/],
    [{ ranges: ['10.20.0.1/24'], proxies }, 'ranges.0', /bits behind its prefix; the range is 10\.20\.0\.0\/24/],
    [{ ranges: ['10.20.0.0/33'], proxies }, 'ranges.0', /no range/],
    [{ ranges: ['office'], proxies }, 'ranges.0', /no range/],
    [{ ranges: ['fd00::/8'], proxies }, 'ranges.0', /IPv6/],
    [{ ranges: ['0.0.0.0/0'], proxies }, 'ranges.0', /overlaps 0\.0\.0\.0\/8/],
    [{ ranges: ['198.18.4.0/24'], proxies }, 'ranges.0', /sandboxes/],
    [{ ranges: ['169.254.169.254'], proxies }, 'ranges.0', /link-local/],
    [{ ranges: ['10.0.0.0/8', '10.20.0.0/16'], proxies }, 'ranges.1', /overlaps "10\.0\.0\.0\/8"/],
    [{ ranges: ['10.0.0.0/8'], proxies: ['192.0.2.10'] }, 'proxies', /two proxies/],
    [{ ranges: ['10.0.0.0/8'], proxies: ['192.0.2.10', '192.0.2.10'] }, 'proxies', /hosts of their own/],
    [{ ranges: ['10.0.0.0/8'], proxies: ['192.0.2.10', 'proxy.test'] }, 'proxies.1', /IPv4 address/],
    [{ ranges: ['10.0.0.0/8'], proxies: ['192.0.2.10', '127.0.0.1'] }, 'proxies.1', /another host/],
  ];
  for (const [settings, path, message] of cases) {
    const [issue] = privateNetworkSettingsSchema.safeParse(settings).error?.issues ?? [];
    assert.equal(issue?.path.join('.'), path, JSON.stringify(settings));
    assert.match(issue.message, message);
  }
  assert.ok(privateNetworkSettingsSchema.safeParse({ ranges: ['10.20.0.0/16', '203.0.113.7'], proxies }).success);
});

test('ranges overlap as they do', () => {
  assert.ok(overlap('10.0.0.0/8', '10.20.0.0/16') && overlap('10.20.0.5', '10.20.0.0/16'));
  assert.ok(!overlap('10.0.0.0/16', '10.1.0.0/16'));
  assert.deepEqual(
    overlapping([
      { name: 'a', ranges: ['10.0.0.0/16'] },
      { name: 'b', ranges: ['10.1.0.0/16', '10.0.5.0/24'] },
    ]),
    ['a', 'b'],
  );
  assert.equal(
    overlapping([
      { name: 'a', ranges: ['10.0.0.0/16'] },
      { name: 'b', ranges: ['10.1.0.0/16'] },
    ]),
    undefined,
  );
});

test('a policy names private networks, each once', () => {
  assert.equal(policyText(networkPolicySchema.parse({ private: ['office', 'plant'], allow: [] })), 'allow nothing; private office, plant');
  for (const wrong of [{ private: [] }, { private: ['a', 'a'] }, { private: 'office' }, { private: ['Not a name'] }, {}])
    assert.ok(!networkPolicySchema.safeParse(wrong).success, JSON.stringify(wrong));
});

test('a proxy’s counters are read as nft lists them', () => {
  const counter = (name: string, packets: number, bytes: number) => ({ counter: { name, packets, bytes } });
  assert.deepEqual(
    readProxyCounts({ nftables: [{ metainfo: {} }, counter('sent', 3, 300), counter('received', 2, 200), counter('opened', 1, 60)] }),
    {
      sentBytes: 300,
      receivedBytes: 200,
      connections: 1,
      refused: 0,
    },
  );
});
