/** Two hosts on one: each listens on a loopback address of its own, with certificates of an authority that the test has. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from '../../src/control/hosts/authority.ts';
import { HeldCredentials } from '../../src/role/certificates/held-credentials.ts';
import type { OwnCertificate } from '../../src/role/certificates/material.ts';
import type { CertifiedRole, Proof } from '../../src/wire/secure/role-certificate.ts';
import type { SecurePlace } from '../../src/wire/secure/secure-place.ts';

export async function openAuthority(now: () => number = Date.now): Promise<Authority> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-authority-'));
  try {
    return await Authority.open(folder, now);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const certificateFor = (authority: Authority, role: CertifiedRole, lifeMs = 60_000): Promise<OwnCertificate> =>
  authority.make({ role, host: 'edge', lifeMs });

export interface TestPlace extends SecurePlace {
  readonly credentials: HeldCredentials;
  /** Why connections were refused here. */
  readonly refusals: string[];
  readonly proofs: Proof[];
  /** Resolves with the next reason. */
  nextRefusal(): Promise<string>;
}

export function secureAt(port: number, own: OwnCertificate, roles: readonly CertifiedRole[]): TestPlace {
  const refusals: string[] = [];
  const proofs: Proof[] = [];
  const waiting: ((why: string) => void)[] = [];
  return {
    host: '127.0.0.2',
    port,
    credentials: new HeldCredentials(own),
    roles,
    refusals,
    proofs,
    refused(why) {
      refusals.push(why);
      for (const tell of waiting.splice(0)) tell(why);
    },
    proved: (proof) => proofs.push(proof),
    nextRefusal: () => new Promise((resolve) => waiting.push(resolve)),
  };
}
