/** The one form that a certificate has as a file: its private key, itself, then the certificates of its authority, all PEM. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { SwiftletError } from '../../model/errors.ts';
import { shownCertificate, type ShownCertificate } from '../../wire/secure/role-certificate.ts';
import type { Material } from '../../wire/secure/secure-place.ts';

/** Something that can be shown, and what others will read in it. */
export interface OwnCertificate extends Material {
  readonly shown: ShownCertificate;
}

const pemBlock = /-----BEGIN ([A-Z ]+)-----[\s\S]+?-----END \1-----\n?/g;

/**
 * @param where its name in messages
 * @throws SwiftletError BadRequest when something is missing, or does not go together
 */
export function certificateOf(pem: string, where: string): OwnCertificate {
  const blocks = [...pem.matchAll(pemBlock)].map(([text, label = '']) => ({ text: text.endsWith('\n') ? text : `${text}\n`, label }));
  const key = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'))?.text;
  const [certificate, ...authority] = blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ text }) => text);
  if (key === undefined || certificate === undefined || authority.length === 0)
    throw new SwiftletError(
      'BadRequest',
      `${where}: it is to have, in PEM, a private key, its certificate, and then the certificates of the authority, in this order`,
    );
  return ownCertificate({ key, certificate, authority: authority.join('') }, where);
}

/** @throws SwiftletError BadRequest when the parts do not go together */
export function ownCertificate(material: Material, where: string): OwnCertificate {
  try {
    createSecureContext({ key: material.key, cert: material.certificate, ca: material.authority });
    return { ...material, shown: shownCertificate(new X509Certificate(material.certificate)) };
  } catch (error) {
    throw new SwiftletError('BadRequest', `${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

export const pemOf = ({ key, certificate, authority }: Material): string => `${key}${certificate}${authority}`;
