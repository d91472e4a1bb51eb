/** Certificates that the operator's own authority makes: `<folder>/<role>.pem`, taken over as soon as they change. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SwiftletError } from '../../../model/errors.ts';
import { certificateOf } from '../../../role/certificates/material.ts';
import { messageOf } from '../../failure.ts';
import type { CertificateMeans } from './certificate-means.ts';

const lookEveryMs = 1_000;

/** @throws SwiftletError BadRequest for a file that is not there, or cannot be used */
export function followGivenCertificates(folder: string, { roles, put, note }: CertificateMeans): AsyncDisposable {
  const known = new Map<string, string>();
  const take = (role: (typeof roles)[number]) => {
    const path = join(folder, `${role}.pem`);
    const pem = readGiven(path);
    if (known.get(role) === pem) return;
    known.set(role, pem);
    const { role: named } = certificateOf(pem, path).shown;
    if (named !== role)
      throw new SwiftletError(
        'BadRequest',
        `${path}: the certificate is for ${named ?? 'no role'}; it is to have the URI swiftlet://role/${role}`,
      );
    put(role, pem);
  };
  for (const role of roles) take(role);
  const looking = setInterval(() => {
    for (const role of roles) {
      try {
        take(role);
      } catch (error) {
        note(`the certificate before is kept: ${messageOf(error)}`);
      }
    }
  }, lookEveryMs);
  return {
    [Symbol.asyncDispose]: () => {
      clearInterval(looking);
      return Promise.resolve();
    },
  };
}

function readGiven(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SwiftletError('BadRequest', `SWIFTLET_CERTIFICATES: ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
