/** What callers sign with a secret that they share with a function: when, once, and the request as it is. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Carries a signature: `t=1700000000,n=4f0c…,v1=9a3e…`. */
export const signatureHeader = 'x-swiftlet-signature';

export interface Signature {
  /** Seconds since 1970, by the caller's clock. */
  readonly seconds: number;
  /** Never the same for two requests. */
  readonly nonce: string;
  readonly mac: Buffer;
}

const pattern = /^t=(\d{1,12}),n=([\w-]{8,64}),v1=([0-9a-f]{64})$/;

/** @returns undefined for what is no signature */
export function readSignature(header: string | readonly string[] | undefined): Signature | undefined {
  const [, seconds, nonce, mac] = typeof header === 'string' ? (pattern.exec(header) ?? []) : [];
  if (seconds === undefined || nonce === undefined || mac === undefined) return undefined;
  return { seconds: Number(seconds), nonce, mac: Buffer.from(mac, 'hex') };
}

/** What is signed: time, nonce, method and target, each with a line feed behind it, then the body. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  readonly body: Uint8Array;
}

export function macOf(secret: string, { seconds, nonce }: Omit<Signature, 'mac'>, { method, target, body }: SignedRequest): Buffer {
  return createHmac('sha256', secret).update(`${seconds}\n${nonce}\n${method}\n${target}\n`).update(body).digest();
}

/** Takes the same time whatever it is that differs. */
export const isSignedBy = (secret: string, signature: Signature, request: SignedRequest): boolean =>
  timingSafeEqual(macOf(secret, signature, request), signature.mac);
