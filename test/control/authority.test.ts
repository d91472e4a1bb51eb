import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Authority } from '../../src/control/hosts/authority.ts';
import { requestCertificate } from '../../src/role/certificates/certificate-request.ts';
import { certificateOf, pemOf } from '../../src/role/certificates/material.ts';
import { isOverdue, renewAtMs } from '../../src/role/certificates/validity.ts';
import { tempFolder } from './temp-folder.ts';

test('the authority is kept in one file for its owner only, and is the same when it is opened again', async (t) => {
  const folder = tempFolder(t);
  const first = await Authority.open(folder, Date.now);
  assert.equal(statSync(join(folder, 'authority.pem')).mode & 0o777, 0o600);
  const again = await Authority.open(folder, Date.now);
  assert.equal(again.certificate, first.certificate);
  const made = await again.make({ role: 'agent', host: 'edge', lifeMs: 60_000 });
  assert.ok(new X509Certificate(made.certificate).verify(new X509Certificate(first.certificate).publicKey));
});

test('a certificate has its role, its host and a short life', async (t) => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  const authority = await Authority.open(tempFolder(t), () => now);
  const { shown, certificate } = await authority.make({ role: 'events', host: 'edge-1', lifeMs: 3_600_000 });
  assert.deepEqual(shown, { role: 'events', host: 'edge-1', fromMs: now - 60_000, untilMs: now + 3_600_000 });
  assert.equal(new X509Certificate(certificate).ca, false);
});

test('a request is signed when it proves that its key is there', async (t) => {
  const authority = await Authority.open(tempFolder(t), Date.now);
  const subject = { role: 'gateway', host: 'edge', lifeMs: 60_000 } as const;
  const { key, request } = await requestCertificate('gateway');
  const certificate = await authority.sign(subject, request);
  const own = certificateOf(pemOf({ key, certificate, authority: authority.certificate }), 'here');
  assert.equal(own.shown.role, 'gateway');
  const bytes = Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  await assert.rejects(authority.sign(subject, forged), { code: 'BadRequest' });
  await assert.rejects(authority.sign(subject, 'nothing of the kind'), { code: 'BadRequest' });
});

test('a file that is not whole, or whose parts are of different certificates, says what is wrong', async (t) => {
  const authority = await Authority.open(tempFolder(t), Date.now);
  const subject = { role: 'gateway', host: 'edge', lifeMs: 60_000 } as const;
  const [one, other] = [await authority.make(subject), await authority.make(subject)];
  assert.throws(() => certificateOf(one.certificate, 'edge.pem'), {
    code: 'BadRequest',
    message: /edge\.pem: .*a private key, its certificate/,
  });
  assert.throws(() => certificateOf(pemOf({ ...one, key: other.key }), 'edge.pem'), {
    code: 'BadRequest',
    message: /edge\.pem: .*mismatch/i,
  });
});

test('a certificate is renewed when a third of its life is left, and overdue at a tenth', () => {
  const span = { fromMs: 0, untilMs: 600 };
  assert.equal(renewAtMs(span), 400);
  assert.deepEqual([isOverdue(span, 539), isOverdue(span, 540)], [false, true]);
});
