/** Where webhooks may go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressPolicy } from '../../src/role/address-policy.ts';

const own = ['203.0.114.9', '2a00:1450::9'];
const policy = addressPolicy([], () => own);

for (const address of ['93.184.216.34', '1.1.1.1', '2606:4700::1111', '::ffff:1.1.1.1'])
  test(`${address} is public`, () => assert.ok(policy.allows(address)));

const forbidden = [
  ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '169.254.169.254'],
  ...['192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '192.0.0.8', '224.0.0.1', '255.255.255.255', '240.0.0.1'],
  ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12:3456::1', 'ff02::1', '2001:db8::1', 'fec0::1', '400::1'],
  // An IPv4 address in another's clothes.
  ...['::ffff:127.0.0.1', '::ffff:10.0.0.1', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001::1'],
  ...own,
  ...['', 'localhost', 'no address'],
];
for (const address of forbidden) test(`${JSON.stringify(address)} is not`, () => assert.ok(!policy.allows(address)));

test('the operator’s ranges are allowed, and nothing beside them', () => {
  const open = addressPolicy(['10.1.0.0/16', 'fd00::/8', '203.0.114.9/32'], () => own);
  for (const address of ['10.1.255.1', '::ffff:10.1.0.1', 'fd12::1', '203.0.114.9']) assert.ok(open.allows(address), address);
  for (const address of ['10.2.0.1', '127.0.0.1', 'fe80::1', '2a00:1450::9']) assert.ok(!open.allows(address), address);
});
