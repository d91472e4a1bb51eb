/** A new key, and the request to sign it: the key never leaves this machine. */
import { KeyObject, webcrypto } from 'node:crypto';
import type { CertifiedRole } from '../../wire/secure/role-certificate.ts';

export const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;

export interface CertificateRequest {
  /** PEM. */
  readonly key: string;
  /** PKCS #10, PEM. */
  readonly request: string;
}

/** What makes certificates is loaded by those only who are on several hosts. */
export async function requestCertificate(role: CertifiedRole): Promise<CertificateRequest> {
  const { Pkcs10CertificateRequestGenerator } = await import('./x509.ts');
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({ name: `CN=${role}`, keys, signingAlgorithm });
  return { key: keyPem(keys.privateKey), request: `${request.toString('pem')}\n` };
}

export const keyPem = (key: webcrypto.CryptoKey): string => KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' });
