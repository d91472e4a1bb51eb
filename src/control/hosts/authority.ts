/** Signs the certificates by which roles on several hosts know each other. Its key is control's, as the state and the secrets are. */
import { createPrivateKey, createPublicKey, randomBytes, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '../../role/certificates/x509.ts';
import { SwiftletError } from '../../model/errors.ts';
import { keyAlgorithm, keyPem, signingAlgorithm } from '../../role/certificates/certificate-request.ts';
import { type OwnCertificate, ownCertificate } from '../../role/certificates/material.ts';
import { writePrivately } from '../../role/certificates/write-privately.ts';
import { type CertifiedRole, roleUri } from '../../wire/secure/role-certificate.ts';

const fileName = 'authority.pem';
const authorityLifeMs = 10 * 365 * 86_400_000;
/** Clocks of two hosts may differ by so much, or by a tenth of a short life. */
const clockSkewMs = 60_000;
const serialBytes = 16;

/** Whose a certificate is, and how long it holds from now on. */
export interface Subject {
  readonly role: CertifiedRole;
  /** What an operator calls the host. */
  readonly host: string;
  readonly lifeMs: number;
}

export class Authority {
  readonly #key: webcrypto.CryptoKey;
  readonly #now: () => number;
  /** PEM. */
  readonly certificate: string;

  private constructor(key: webcrypto.CryptoKey, certificate: string, now: () => number) {
    this.#key = key;
    this.certificate = certificate;
    this.#now = now;
  }

  /** Reads the authority from a folder, or makes it there: one file, mode 0600. @throws Error when the file is damaged */
  static async open(folder: string, now: () => number): Promise<Authority> {
    const path = join(folder, fileName);
    if (!existsSync(path)) writePrivately(path, await newAuthority(now()));
    const pem = readFileSync(path, 'utf8');
    const certificate = new NodeCertificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----')));
    const key = createPrivateKey(pem).toCryptoKey(keyAlgorithm, true, ['sign']);
    return new Authority(key, certificate.toString(), now);
  }

  /** A certificate with a new key, for this process or to be carried to a host that has none. */
  async make(subject: Subject): Promise<OwnCertificate> {
    const { privateKey, publicKey } = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
    const certificate = await this.#sign(subject, publicKey);
    return ownCertificate({ key: keyPem(privateKey), certificate, authority: this.certificate }, `the certificate for ${subject.role}`);
  }

  /** @param request PKCS #10, PEM @returns PEM @throws SwiftletError BadRequest when whoever asks has not shown that the key is his */
  async sign(subject: Subject, request: string): Promise<string> {
    const read = readRequest(request);
    if (read === undefined || !(await read.verify()))
      throw new SwiftletError('BadRequest', 'the request for a certificate is not signed with its own key');
    return this.#sign(subject, await read.publicKey.export());
  }

  async #sign({ role, host, lifeMs }: Subject, publicKey: webcrypto.CryptoKey): Promise<string> {
    const now = this.#now();
    const own = createPublicKey(this.certificate).toCryptoKey(keyAlgorithm, true, ['verify']);
    const certificate = await X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: [{ CN: [host] }],
      issuer: authorityName,
      notBefore: new Date(now - Math.min(clockSkewMs, lifeMs / 10)),
      notAfter: new Date(now + lifeMs),
      publicKey,
      signingKey: this.#key,
      signingAlgorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        new SubjectAlternativeNameExtension([{ type: 'url', value: roleUri(role) }]),
        await SubjectKeyIdentifierExtension.create(publicKey),
        await AuthorityKeyIdentifierExtension.create(own),
      ],
    });
    return `${certificate.toString('pem')}\n`;
  }
}

const authorityName = 'CN=Swiftlet';
/** Positive, and never the same twice. */
const serial = (): string => `01${randomBytes(serialBytes).toString('hex')}`;

/** Key and certificate, PEM. */
async function newAuthority(nowMs: number): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: authorityName,
    notBefore: new Date(nowMs - clockSkewMs),
    notAfter: new Date(nowMs + authorityLifeMs),
    keys,
    signingAlgorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${keyPem(keys.privateKey)}${certificate.toString('pem')}\n`;
}

function readRequest(pem: string): Pkcs10CertificateRequest | undefined {
  try {
    return new Pkcs10CertificateRequest(pem);
  } catch {
    return undefined;
  }
}
