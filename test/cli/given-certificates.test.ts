import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { followGivenCertificates } from '../../src/cli/up/hosts/given-certificates.ts';
import { pemOf } from '../../src/role/certificates/material.ts';
import { certificateFor, openAuthority } from '../wire/secure-places.ts';

test('certificates of one’s own authority are taken over when they change; what cannot be used is told, and changes nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-given-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const authority = await openAuthority();
  const [first, second] = [pemOf(await certificateFor(authority, 'control')), pemOf(await certificateFor(authority, 'control'))];
  const path = join(folder, 'control.pem');
  const replace = (text: string) => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  let next = Promise.withResolvers<string>();
  const heard = (what: string) => {
    next.resolve(what);
    next = Promise.withResolvers();
  };
  const means = { roles: ['control'], put: (role: string, pem: string) => heard(`${role} ${pem}`), note: heard } as const;
  assert.throws(() => followGivenCertificates(folder, means), { code: 'BadRequest', message: /control\.pem cannot be read/ });
  replace(pemOf(await certificateFor(authority, 'agent')));
  assert.throws(() => followGivenCertificates(folder, means), {
    code: 'BadRequest',
    message: /is for agent; .*swiftlet:\/\/role\/control/,
  });

  replace(first);
  const put = next.promise;
  await using _following = followGivenCertificates(folder, means);
  assert.equal(await put, `control ${first}`);
  const told = next.promise;
  replace('nothing of the kind');
  assert.match(await told, /the certificate before is kept: .*control\.pem: it is to have/);
  const again = next.promise;
  replace(second);
  assert.equal(await again, `control ${second}`);
});
