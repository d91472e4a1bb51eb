/**
 * The keys that wrap the keys of secrets. The supervisor reads them, from where the operator keeps them, and tells them to control and
 * to nobody else.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';

/** Of AES-256. */
export const rootKeyBytes = 32;

/** Where the root key comes from. */
export const rootKeySources = ['file', 'environment', 'command'] as const;
export type RootKeySource = (typeof rootKeySources)[number];

export interface RootKey {
  /** What names it: it tells nothing of the key. */
  readonly id: string;
  readonly bytes: Buffer;
}

/** All keys that are known: with the newest one everything is wrapped, the others only unwrap what was wrapped before. */
export interface KeyRing {
  readonly source: RootKeySource;
  /** Newest first; at least one. */
  readonly keys: readonly [RootKey, ...RootKey[]];
}

/** How control gets at the keys, and changes them. */
export interface RootKeys {
  /** @throws SwiftletError Unavailable with the remedy, when there is none or it is none */
  read(): Promise<KeyRing>;
  /**
   * Makes a new key, in front of those there are.
   * @throws SwiftletError BadRequest when the keys come from where Swiftlet does not write, with what to do instead
   */
  add(): Promise<KeyRing>;
  /** Forgets all keys but the newest. Does nothing where Swiftlet does not write. */
  dropOld(): Promise<void>;
}

const hexKey = /^[0-9a-f]{64}$/i;
const base64Key = /^[A-Za-z0-9+/_-]{43}=?$/;

/**
 * Reads keys as text: each 32 bytes in hexadecimal digits or Base64, the newest first, with spaces, commas or line ends between.
 * @param what where the text is from, for the message: it never has the text itself
 * @throws SwiftletError Unavailable
 */
export function parseKeyRing(text: string, source: RootKeySource, what: string): KeyRing {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const [newest, ...older] = words.map((word, at) => rootKey(keyBytes(word, `${what}: key ${at + 1} of ${words.length}`)));
  if (newest === undefined)
    throw new SwiftletError('Unavailable', `${what} has no key; it is to have 32 bytes, as "openssl rand -hex 32" makes them`);
  return { source, keys: [newest, ...older] };
}

function keyBytes(word: string, what: string): Buffer {
  if (hexKey.test(word)) return Buffer.from(word, 'hex');
  if (base64Key.test(word)) return Buffer.from(word, 'base64');
  throw new SwiftletError(
    'Unavailable',
    `${what} is not 32 bytes in hexadecimal digits or Base64; "openssl rand -hex 32" makes such a key`,
  );
}

const idCharacters = 8;

export const rootKey = (bytes: Buffer): RootKey => ({
  id: createHash('sha256').update('swiftlet root key\0').update(bytes).digest('hex').slice(0, idCharacters),
  bytes,
});

/** A ring as it goes from the supervisor to control. */
export const ringMessageSchema = z.object({ source: z.enum(rootKeySources), keys: z.tuple([z.string()], z.string()) });
export type RingMessage = z.output<typeof ringMessageSchema>;

export const ringMessage = ({ source, keys: [newest, ...older] }: KeyRing): RingMessage => ({
  source,
  keys: [newest.bytes.toString('hex'), ...older.map(({ bytes }) => bytes.toString('hex'))],
});

export const ringOf = ({ source, keys }: RingMessage): KeyRing => parseKeyRing(keys.join(' '), source, 'the supervisor’s message');
