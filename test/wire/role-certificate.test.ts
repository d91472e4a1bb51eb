import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followAtMs, judge, type ShownCertificate, shownCertificate } from '../../src/wire/secure/role-certificate.ts';

const good: ShownCertificate = { role: 'gateway', host: 'edge', fromMs: 1_000, untilMs: 2_000 };
const verdict = (shown: ShownCertificate | undefined, fault?: string, nowMs = 1_500) => {
  const judgement = judge(shown, fault, ['gateway', 'agent'], nowMs);
  return judgement.kind === 'taken' ? 'taken' : judgement.why;
};

test('a certificate of a wanted role, signed and in its time, is taken', () => {
  assert.equal(verdict(good), 'taken');
});

for (const [what, said, why] of [
  ['none', verdict(undefined), /showed no certificate/],
  ['one of somebody else’s authority', verdict(good, 'SELF_SIGNED_CERT_IN_CHAIN'), /not of an authority .*SELF_SIGNED_CERT_IN_CHAIN/],
  ['one that nothing is known about', verdict(good, 'UNVERIFIED'), /not of an authority/],
  ['one that has ended', verdict(good, undefined, 2_000), /ended at 1970-01-01T00:00:02/],
  ['one that has ended, as OpenSSL finds', verdict(good, 'CERT_HAS_EXPIRED', 2_001), /ended at/],
  ['one whose authority has ended', verdict(good, 'CERT_HAS_EXPIRED'), /of its authority has ended/],
  ['one of tomorrow', verdict(good, 'CERT_NOT_YET_VALID', 999), /clocks/],
  ['one without a role', verdict({ ...good, role: undefined }), /names no role/],
  ['one of another role', verdict({ ...good, role: 'control' }), /for the role control; here it is to be gateway or agent/],
  ['one of another authority that has ended, too', verdict(good, 'SELF_SIGNED_CERT_IN_CHAIN', 3_000), /not of an authority/],
] as const)
  test(`refused, with the reason: ${what}`, () => assert.match(said, why));

const fields = { subject: 'CN=edge', validFrom: 'Nov 21 00:00:00 2026 GMT', validTo: 'Nov 22 00:00:00 2026 GMT' };

test('the role is read from the one URI that is ours', () => {
  const roleIn = (subjectAltName: string | undefined) => shownCertificate({ ...fields, subjectAltName }).role;
  assert.equal(roleIn('URI:swiftlet://role/agent'), 'agent');
  assert.equal(roleIn('DNS:edge, URI:https://example.com, URI:swiftlet://role/relay'), 'relay');
  assert.equal(roleIn('URI:swiftlet://role/admin'), undefined);
  assert.equal(roleIn('URI:swiftlet://role/agent/more'), undefined);
  assert.equal(roleIn('DNS:"URI:swiftlet://role/agent"'), undefined);
  assert.equal(roleIn('URI:swiftlet://role/agent, URI:swiftlet://role/control'), undefined, 'several are none');
  assert.equal(roleIn(undefined), undefined);
});

test('what is read of host and time', () => {
  const { host, fromMs, untilMs } = shownCertificate({ ...fields, subjectAltName: undefined });
  assert.deepEqual([host, untilMs - fromMs], ['edge', 86_400_000]);
});

test('a connection is followed half-way to the end, and each later one half-way again', () => {
  assert.equal(followAtMs(1_000, 2_000), 1_500);
  assert.equal(followAtMs(1_500, 2_000), 1_750);
  assert.equal(followAtMs(1_500, 3_500), 2_500);
});
