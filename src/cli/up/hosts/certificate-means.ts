import type { RoleName } from '../../../role/role-config.ts';

/** What each source of certificates is given. */
export interface CertificateMeans {
  readonly roles: readonly RoleName[];
  /** Replaces a role's certificate. @param pem key, certificate, authority */
  readonly put: (role: RoleName, pem: string) => void;
  readonly note: (text: string) => void;
}
