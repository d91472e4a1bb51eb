/** The operator's files for TLS, before any process knows of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { upOptions } from '../../src/cli/up/options.ts';
import { followTlsFiles } from '../../src/cli/up/tls-files.ts';
import { certificateFor, openAuthority } from '../wire/secure-places.ts';

test('what is wrong with a certificate or its key is said at the start, with the file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-tls-files-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const authority = await openAuthority(() => Date.now() - 7_200_000);
  const [own, other, ended] = [
    await certificateFor(authority, 'gateway', 86_400_000),
    await certificateFor(authority, 'gateway', 86_400_000),
    await certificateFor(authority, 'gateway', 3_600_000),
  ];
  const cases: [certificate: string | undefined, key: string | undefined, message: RegExp][] = [
    [undefined, own.key, /^SWIFTLET_TLS_CERTIFICATE: .*certificate\.pem cannot be read: ENOENT/],
    [own.certificate, undefined, /^SWIFTLET_TLS_KEY: .*key\.pem cannot be read: ENOENT/],
    ['nothing', own.key, /certificate\.pem has no certificate in PEM/],
    [own.certificate, 'nothing', /key\.pem has no private key in PEM/],
    [own.certificate, other.key, /key\.pem is not the key of the certificate in .*certificate\.pem$/],
    [ended.certificate, ended.key, /certificate\.pem: it ended at /],
  ];
  const files = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
  for (const [certificate, key, message] of cases) {
    for (const path of Object.values(files)) rmSync(path, { force: true });
    if (certificate !== undefined) writeFileSync(files.certificate, certificate);
    if (key !== undefined) writeFileSync(files.key, key);
    assert.throws(() => followTlsFiles(files, assert.fail, assert.fail), { code: 'BadRequest', message });
  }
});

test('a port, a certificate and a key belong together', () => {
  const some = { SWIFTLET_TLS_PORT: '8443', SWIFTLET_TLS_CERTIFICATE: '/c.pem' };
  assert.throws(() => upOptions(some), {
    code: 'BadRequest',
    message: /^TLS needs SWIFTLET_TLS_PORT, SWIFTLET_TLS_CERTIFICATE and SWIFTLET_TLS_KEY/,
  });
  const { secure, urls } = upOptions({ ...some, SWIFTLET_TLS_KEY: '/k.pem', SWIFTLET_TLS_HOST: '0.0.0.0' });
  assert.deepEqual(secure, { place: { host: '0.0.0.0', port: 8443 }, files: { certificate: '/c.pem', key: '/k.pem' } });
  assert.equal(urls, 'token');
  assert.equal(upOptions({}).secure, undefined);
});
