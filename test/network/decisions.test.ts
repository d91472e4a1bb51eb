/** What is decided of packets, names, settings and counts, without a network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AddressPlan,
  addressText,
  lineAt,
  line4,
  line6,
  lineCount,
  pool4,
  rangeText,
  router4,
} from '../../src/agent/network/address-plan.ts';
import { allowanceOf, divisorFor } from '../../src/agent/network/allowance.ts';
import { settingsToChange } from '../../src/agent/network/forwarding.ts';
import { LineCounts, readCounts } from '../../src/agent/network/line-counts.ts';
import { decideName, deniedAlias } from '../../src/agent/network/name-decision.ts';
import { NamePins } from '../../src/agent/network/name-pins.ts';
import { policyId, policyRules } from '../../src/agent/network/policy-rules.ts';
import { parseRefusal, refusalText } from '../../src/agent/network/refusal.ts';
import { addresses4, addresses6 } from '../../src/agent/network/user/host-addresses.ts';
import { hostServers, serversIn } from '../../src/agent/network/upstream.ts';
import { attribute } from '../../src/agent/linux/netlink.ts';
import { closedConnectionSeconds } from '../../src/model/limits.ts';

const plan: AddressPlan = { id: '0badcafe', block: 3 };

test('lines have addresses of their own, and addresses lines', () => {
  assert.equal(rangeText(pool4(plan)), '198.18.96.0/19');
  assert.equal(addressText(router4(plan).address), '198.18.96.1');
  for (const line of [0, 1, 300, lineCount - 1]) {
    assert.equal(lineAt(plan, line4(plan, line).address), line);
    assert.equal(lineAt(plan, line6(plan, line).address), line);
  }
  for (const address of [
    router4(plan).address,
    Buffer.from([10, 0, 0, 1]),
    line4({ ...plan, block: 4 }, 5).address,
    line6({ ...plan, id: 'ffffffff' }, 5).address,
  ]) {
    assert.equal(lineAt(plan, address), undefined);
  }
});

test('a host that forwards is left as it is; one that does not keeps listening to its router', () => {
  const names = { v4: 'ipv4/ip_forward', v6: 'ipv6/conf/all/forwarding', ra: 'ipv6/conf/eth0/accept_ra' };
  assert.deepEqual(settingsToChange({ [names.v4]: '1', [names.v6]: '1', [names.ra]: '1' }), {});
  assert.deepEqual(settingsToChange({ [names.v4]: '0', [names.v6]: '0', [names.ra]: '1' }), {
    [names.v4]: '1',
    [names.v6]: '1',
    [names.ra]: '2',
  });
  assert.deepEqual(settingsToChange({ [names.v4]: '0' }), { [names.v4]: '1' });
  assert.deepEqual(settingsToChange({ [names.v4]: '1', other: '0' }, { other: '1' }), { other: '1' });
  assert.deepEqual(settingsToChange({ [names.v4]: '1', other: '1' }, { other: '1' }), {});
});

test('names: denied first, then allowed, else not known', () => {
  const lists = { allow: ['203.0.113.0/24', 'api.example:443', '*.example'], deny: ['x.example'] };
  assert.deepEqual(decideName(lists, 'api.example'), { kind: 'ask', pins: [1, 2] });
  assert.equal(decideName(lists, 'x.example').kind, 'refuse');
  assert.equal(decideName(lists, 'other.test').kind, 'refuse');
  assert.deepEqual(decideName({ allow: ['*:443'] }, 'other.test'), { kind: 'ask', pins: [] });
  assert.deepEqual(decideName({ deny: ['x.example'] }, 'other.test'), { kind: 'ask', pins: [] });
  assert.equal(decideName('none', 'other.test').kind, 'refuse');
  assert.match(deniedAlias(lists, ['a.example', 'x.example']) ?? '', /another name of x\.example/);
  assert.equal(deniedAlias('internet', ['x.example']), undefined);
});

test('pins: an address is opened once for as long as it holds, and again before it ends', () => {
  const ran: string[] = [];
  let now = 0;
  const pins = new NamePins({ run: (commands) => ran.push(commands) }, () => now);
  const policy = { allow: ['api.example'] };
  const found = [{ address: '198.51.100.1', ttlSeconds: 60 }];
  pins.pin(policy, [0], found);
  assert.match(ran[0] ?? '', new RegExp(`add element inet swiftlet pins4_${policyId(policy)}_0 { 198\\.51\\.100\\.1 timeout 90s }$`));
  now = 20_000;
  pins.pin(policy, [0], [{ address: '198.51.100.1', ttlSeconds: 40 }]);
  assert.equal(ran.length, 1);
  now = 31_000;
  pins.pin(policy, [0], found);
  assert.equal(ran.length, 2);
  // Its sets went, and came again empty.
  pins.forget(policyId(policy));
  pins.pin(policy, [0], found);
  assert.equal(ran.length, 3);
  // Forged: lines that are no names, or are not there.
  pins.pin({ allow: ['203.0.113.0/24'] }, [0, 7], found);
  pins.pin('internet', [0], found);
  assert.equal(ran.length, 3);
});

test('a policy’s rules: denied first, then allowed, then the end', () => {
  const text = policyRules({ allow: ['203.0.113.0/24:443', 'api.example'], deny: ['*:25', 'evil.example'] });
  const rules = text.split('\n').flatMap((line) => (line.startsWith('  ') ? [line.trim()] : []));
  assert.deepEqual(
    rules.map((rule) => rule.split(' ').at(-1)),
    ['denied', 'open', 'open', 'open', 'unlisted'],
  );
  assert.match(rules[0] ?? '', /^meta l4proto { tcp, udp } th dport 25-25 goto denied$/);
  assert.match(rules[1] ?? '', /^ip daddr 203\.0\.113\.0\/24 meta l4proto { tcp, udp } th dport 443-443 goto open$/);
  assert.ok(policyRules({ deny: ['*:25'] }).includes('goto open'));
});

/** As the kernel tells it. */
const logged = (prefix: string, packet: Buffer) => ({
  type: 0x0400,
  payload: Buffer.concat([Buffer.alloc(4), attribute(10, prefix), attribute(9, packet)]),
});
const packet4 = Buffer.from('4500003c000040004006000000000000cb007107a00001bb00000000', 'hex');

test('all sandboxes of a function together leave two fifths of the host’s table of connections', () => {
  const usualTable = 262_144;
  assert.equal(divisorFor(100, usualTable), 1);
  assert.equal(divisorFor(170, usualTable), 4);
  for (const sandboxes of [1, 100, 170, 500, 1_000, 5_000]) {
    const { connections, perSecond, burst } = allowanceOf(divisorFor(sandboxes, usualTable));
    const places = sandboxes * (connections + burst + perSecond * closedConnectionSeconds);
    assert.ok(places <= 0.6 * usualTable, `${sandboxes} sandboxes take ${places} places`);
  }
  // A table that is too small for all is not met by limits of nothing.
  assert.deepEqual(allowanceOf(divisorFor(5_000, 1_000)), { connections: 8, perSecond: 1, burst: 7 });
});

test('a refusal names the rule and the real destination', () => {
  const refusal = parseRefusal(logged('denied', packet4));
  assert.ok(refusal !== undefined);
  assert.deepEqual([addressText(refusal.destination), refusal.port, refusal.protocol], ['203.0.113.7', 443, 'TCP']);
  assert.match(refusalText(refusal, { deny: ['*:80', '203.0.113.0/24:443'] }, 1), /"network.deny" has it: 203\.0\.113\.0\/24:443$/);
  assert.match(refusalText({ ...refusal, reason: 'closed' }, 'internet', 1), /--egress-allow/);
  assert.match(refusalText({ ...refusal, reason: 'many' }, 'internet', 1), /a sandbox has at most 512 connections open$/);
  assert.match(
    refusalText({ ...refusal, reason: 'many' }, 'internet', 16),
    /of a function with such a "maximum" .* at most 32 connections/,
  );
});

test('what the kernel’s log should not hold is passed over', () => {
  assert.equal(parseRefusal(logged('somebody else’s', packet4)), undefined);
  assert.equal(parseRefusal(logged('closed', packet4.subarray(0, 12))), undefined);
  assert.equal(parseRefusal({ type: 3, payload: Buffer.alloc(0) }), undefined);
});

test('counts go to the function whose line it is, also when they begin anew', () => {
  const listing = (bytes: number) => ({
    nftables: [{ metainfo: {} }, { set: { elem: [{ elem: { val: 's7', counter: { packets: 2, bytes } } }, 'odd'] } }],
  });
  assert.deepEqual(readCounts('sent', listing(100)), new Map([[7, 100]]));
  assert.deepEqual(readCounts('opened', listing(100)), new Map([[7, 2]]));
  const counts = new LineCounts();
  const none = new Map<number, number>();
  const take = (bytes: number) =>
    counts.take({ sent: readCounts('sent', listing(bytes)), received: none, opened: none, refused: none }, () => 'default/a');
  take(100);
  take(150);
  assert.equal(counts.of('default/a').sentBytes, 150);
  take(20);
  assert.equal(counts.of('default/a').sentBytes, 170);
  counts.forget(7);
  take(20);
  assert.equal(counts.of('default/a').sentBytes, 190);
  counts.keepOnly(new Set());
  assert.equal(counts.of('default/a').sentBytes, 0);
});

test('the host’s addresses are found from what the kernel tells of its routes', () => {
  const trie = [
    'Main:',
    '     +-- 192.0.2.0/24 2 0 2',
    '        |-- 192.0.2.0',
    '           /24 link UNICAST',
    '        |-- 192.0.2.9',
    '           /32 host LOCAL',
    '        |-- 192.0.2.255',
    '           /32 link BROADCAST',
    'Local:',
    '     |-- 198.51.100.0',
    '        /24 host LOCAL',
  ];
  assert.deepEqual(addresses4(trie.join('\n')), ['192.0.2.9/32', '198.51.100.0/24']);
  const zero = '0'.repeat(32);
  const route = (to: string, prefix: string, flags: string) =>
    `${to} ${prefix} ${zero} 00 ${zero} 00000000 00000003 00000000 ${flags}     eth0`;
  const routes = [
    route('20010db8000000000000000000000002', '80', '80200001'),
    route('20010db8000000000000000000000000', '40', '00000001'),
    route('20010db8000000000000000000000000', '80', '00300001'),
  ];
  assert.deepEqual(addresses6(routes.join('\n')), ['2001:db8:0:0:0:0:0:2/128', '2001:db8:0:0:0:0:0:0/128']);
});

test('where the host’s loopback is out of reach, name servers on it are not asked', () => {
  const files: Record<string, string> = { '/etc/resolv.conf': 'nameserver 127.0.0.53\n' };
  const read = (path: string) => files[path] ?? '';
  assert.deepEqual(hostServers(false, read), ['127.0.0.53']);
  assert.deepEqual(hostServers(true, read), []);
  files['/run/systemd/resolve/resolv.conf'] = 'nameserver 192.0.2.53\nnameserver ::1\n';
  assert.deepEqual(hostServers(true, read), ['192.0.2.53']);
  files['/etc/resolv.conf'] = 'nameserver 127.0.0.53\nnameserver 192.0.2.54\n';
  assert.deepEqual(hostServers(true, read), ['192.0.2.54']);
});

test('the host’s name servers are those of its resolv.conf', () => {
  assert.deepEqual(
    serversIn(
      '# a comment\nsearch a.example\nnameserver 192.0.2.53\n nameserver  2001:db8::53\nnameserver fe80::1%eth0\nnameserver nobody\n',
    ),
    ['192.0.2.53', '2001:db8::53', 'fe80::1%eth0'],
  );
});
