/** Puts a certificate into each role's folder before the role starts, and another one before that ends. */
import { type Hosts, rolesOf } from '../../../role/call-places.ts';
import { certificateFileOf } from '../../../role/certificates/credentials-file.ts';
import { writePrivately } from '../../../role/certificates/write-privately.ts';
import type { RoleName } from '../../../role/role-config.ts';
import type { Identities } from '../identities.ts';
import { askForCertificates } from './asked-certificates.ts';
import type { CertificateMeans } from './certificate-means.ts';
import { followGivenCertificates } from './given-certificates.ts';
import type { CertificateSource } from './options.ts';

export interface KeepCertificatesMeans {
  readonly config: Hosts;
  readonly source: CertificateSource;
  readonly home: string;
  readonly run: string;
  readonly identities: Identities | undefined;
  /** Tells the operator. */
  readonly note: (text: string) => void;
}

/**
 * Resolves when each role has one.
 * @throws SwiftletError BadRequest for a file that cannot be used, Unavailable when control gives none
 */
export async function keepCertificates({ config, source, home, run, identities, note }: KeepCertificatesMeans): Promise<AsyncDisposable> {
  const put = (role: RoleName, pem: string) => writePrivately(certificateFileOf(run, role), pem, identities?.of(role));
  const means: CertificateMeans = { roles: rolesOf(config.serves), put, note };
  switch (source.kind) {
    case 'own':
      return { [Symbol.asyncDispose]: () => Promise.resolve() };
    case 'given':
      return followGivenCertificates(source.folder, means);
    case 'asked':
      return askForCertificates({ ...means, config, home, join: source.join });
  }
}
