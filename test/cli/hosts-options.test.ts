import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolesOf, secureAddress } from '../../src/role/call-places.ts';
import { upOptions } from '../../src/cli/up/options.ts';

const places = { SWIFTLET_CALLS: '192.0.2.1:7400', SWIFTLET_OTHER_HOST: '[2001:db8::2]:7400' };
const hostsOf = (environment: NodeJS.ProcessEnv) => upOptions({ SWIFTLET_HOME: '/tmp/none', ...environment }).hosts;

test('on one host there is nothing to say', () => assert.equal(hostsOf({}), undefined));

test('two hosts: which roles, where, and with whose certificates', () => {
  assert.deepEqual(hostsOf({ SWIFTLET_SERVES: 'functions', ...places, SWIFTLET_JOIN: '/root/edge.pem' }), {
    config: {
      serves: 'functions',
      here: { host: '192.0.2.1', port: 7400 },
      other: { host: '2001:db8::2', port: 7400 },
      certificates: 'made',
      certificateLifeMs: 86_400_000,
    },
    source: { kind: 'asked', join: '/root/edge.pem' },
  });
  assert.deepEqual(hostsOf({ SWIFTLET_SERVES: 'control', ...places })?.source, { kind: 'own' });
  assert.deepEqual(hostsOf({ SWIFTLET_SERVES: 'control', ...places, SWIFTLET_CERTIFICATES: '/etc/swiftlet' })?.source, {
    kind: 'given',
    folder: '/etc/swiftlet',
  });
  assert.deepEqual(rolesOf('control'), ['control']);
  assert.deepEqual(rolesOf('functions'), ['relay', 'agent', 'gateway', 'events']);
});

for (const [environment, said] of [
  [{ SWIFTLET_CALLS: '192.0.2.1:7400' }, /SWIFTLET_CALLS is for a platform on two hosts/],
  [{ SWIFTLET_SERVES: 'control', SWIFTLET_CALLS: '192.0.2.1:7400' }, /needs SWIFTLET_CALLS.*and SWIFTLET_OTHER_HOST/],
  [{ SWIFTLET_SERVES: 'half', ...places }, /SWIFTLET_SERVES/],
  [{ SWIFTLET_SERVES: 'control', ...places, SWIFTLET_CALLS: '192.0.2.1' }, /SWIFTLET_CALLS: it is an address and a port/],
  [{ SWIFTLET_SERVES: 'control', ...places, SWIFTLET_CALLS: '192.0.2.1:65535' }, /up to 65532/],
  [{ SWIFTLET_SERVES: 'control', ...places, SWIFTLET_JOIN: '/root/edge.pem' }, /SWIFTLET_JOIN is for the host of the functions/],
  [{ SWIFTLET_SERVES: 'functions', ...places, SWIFTLET_JOIN: '/a', SWIFTLET_CERTIFICATES: '/b' }, /SWIFTLET_JOIN is for/],
  [{ SWIFTLET_SERVES: 'functions', ...places, SWIFTLET_CERTIFICATE_LIFE_S: '1' }, /SWIFTLET_CERTIFICATE_LIFE_S/],
] as const)
  test(`refused: ${JSON.stringify(environment)}`, () => assert.throws(() => hostsOf(environment), { code: 'BadRequest', message: said }));

test('each door has a port of its own', () => {
  const hosts = { here: { host: 'a', port: 7400 }, other: { host: 'b', port: 7400 } };
  const ports = (doors: readonly ('state' | 'hosts' | 'gateway' | 'agent' | 'relay' | 'events')[]) =>
    doors.map((door) => secureAddress(hosts, door, 'here').port);
  assert.deepEqual(ports(['state', 'hosts']), [7400, 7401]);
  assert.deepEqual(ports(['gateway', 'agent', 'relay', 'events']), [7400, 7401, 7402, 7403]);
});
