/** The certificate that callers see, from the operator's two files: checked, handed to the gateway, and again whenever they change. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { SwiftletError } from '../../model/errors.ts';
import { messageOf } from '../failure.ts';

const lookEveryMs = 1_000;

export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/**
 * @param put takes certificate, chain and key as one text
 * @param note tells the operator
 * @throws SwiftletError BadRequest that names the file, when it cannot be used at first
 */
export function followTlsFiles(files: TlsFiles, put: (pem: string) => void, note: (text: string) => void): AsyncDisposable {
  let seen = readBoth(files);
  put(checked(seen, files));
  let refused = '';
  const look = () => {
    try {
      const now = readBoth(files);
      if (now.certificate === seen.certificate && now.key === seen.key) return;
      seen = now;
      put(checked(now, files));
      refused = '';
      note(`${files.certificate}: the new certificate is in use`);
    } catch (error) {
      if (messageOf(error) !== refused) note(`the certificate before is kept: ${messageOf(error)}`);
      refused = messageOf(error);
    }
  };
  const looking = setInterval(look, lookEveryMs);
  return {
    [Symbol.asyncDispose]: () => {
      clearInterval(looking);
      return Promise.resolve();
    },
  };
}

const readBoth = ({ certificate, key }: TlsFiles): TlsFiles => ({
  certificate: readNamed('SWIFTLET_TLS_CERTIFICATE', certificate),
  key: readNamed('SWIFTLET_TLS_KEY', key),
});

function readNamed(variable: string, path: string): string {
  try {
    const text = readFileSync(path, 'utf8');
    return text.endsWith('\n') ? text : `${text}\n`;
  } catch (error) {
    throw wrong(`${variable}: ${path} cannot be read: ${messageOf(error)}`, error);
  }
}

/** @returns both in one */
function checked({ certificate, key }: TlsFiles, files: TlsFiles): string {
  const shown = parsed(`${files.certificate} has no certificate in PEM`, () => new X509Certificate(certificate));
  const secret = parsed(`${files.key} has no private key in PEM that can be read without a password`, () => createPrivateKey(key));
  if (!shown.checkPrivateKey(secret)) throw wrong(`${files.key} is not the key of the certificate in ${files.certificate}`);
  if (Date.parse(shown.validTo) <= Date.now()) throw wrong(`${files.certificate}: it ended at ${shown.validTo}`);
  parsed(`${files.certificate} cannot be used`, () => createSecureContext({ cert: certificate, key }));
  return `${certificate}${key}`;
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw wrong(`${what}: ${messageOf(error)}`, error);
  }
}

const wrong = (message: string, cause?: unknown): SwiftletError => new SwiftletError('BadRequest', message, { cause });
