/**
 * Encryption of secrets at rest. Each value has a key of its own (AES-256-GCM, NIST SP 800-38D), which is wrapped by the root key in the
 * same way: a change of the root key touches the wrapped keys only. Both are bound to what they are of, so that a row that was moved to
 * another name, another tenant or an earlier version does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { SwiftletError } from '../../model/errors.ts';
import type { KeyRing, RootKey } from '../../role/root-keys.ts';

/** What a sealed value is of. */
export interface SecretId {
  readonly tenant: string;
  readonly name: string;
  readonly version: number;
}

export interface SealedValue {
  /** The root key that wraps the value's own key. */
  readonly rootKeyId: string;
  readonly wrappedKey: Buffer;
  readonly sealed: Buffer;
}

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** @param random bytes that nobody can foresee; a test gives its own */
export function seal(value: string, id: SecretId, rootKey: RootKey, random: (bytes: number) => Buffer = randomBytes): SealedValue {
  const key = random(keyBytes);
  return {
    rootKeyId: rootKey.id,
    wrappedKey: encrypt(key, rootKey.bytes, contextOf('key', id), random),
    sealed: encrypt(Buffer.from(value), key, contextOf('value', id), random),
  };
}

/** @throws SwiftletError Internal when it was changed, or is of something else; Unavailable when its root key is not there */
export function unseal({ sealed, ...wrapped }: SealedValue, id: SecretId, ring: KeyRing): string {
  const key = unwrap(wrapped, id, ring);
  return decrypt(sealed, key, contextOf('value', id), id).toString();
}

/** The same value, its key wrapped by the newest root key. @throws SwiftletError as `unseal` does */
export function rewrap(value: SealedValue, id: SecretId, ring: KeyRing, random: (bytes: number) => Buffer = randomBytes): SealedValue {
  const [newest] = ring.keys;
  const key = unwrap(value, id, ring);
  return { ...value, rootKeyId: newest.id, wrappedKey: encrypt(key, newest.bytes, contextOf('key', id), random) };
}

function unwrap({ rootKeyId, wrappedKey }: Omit<SealedValue, 'sealed'>, id: SecretId, ring: KeyRing): Buffer {
  const rootKey = ring.keys.find((key) => key.id === rootKeyId);
  if (rootKey === undefined) {
    throw new SwiftletError(
      'Unavailable',
      `the secret "${id.name}" is wrapped with the root key ${rootKeyId}, which is not there (there ${ring.keys.length === 1 ? 'is' : 'are'} ${ring.keys.map((key) => key.id).join(', ')}); bring that key back behind the present one`,
    );
  }
  return decrypt(wrappedKey, rootKey.bytes, contextOf('key', id), id);
}

const contextOf = (what: 'key' | 'value', { tenant, name, version }: SecretId): Buffer =>
  Buffer.from(`swiftlet secret ${what} ${tenant}/${name}@${version}`);

/** @returns nonce, tag and cipher text, one after the other */
function encrypt(clear: Buffer, key: Buffer, context: Buffer, random: (bytes: number) => Buffer): Buffer {
  const nonce = random(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(context);
  const text = Buffer.concat([cipher.update(clear), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

function decrypt(sealed: Buffer, key: Buffer, context: Buffer, { name }: SecretId): Buffer {
  try {
    const cipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes }).setAAD(context);
    cipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
    return Buffer.concat([cipher.update(sealed.subarray(nonceBytes + tagBytes)), cipher.final()]);
  } catch (error) {
    throw new SwiftletError(
      'Internal',
      `the secret "${name}" in the store was changed by somebody else, or is another one's; rotate it, and look at who can write to the store`,
      { cause: error },
    );
  }
}
