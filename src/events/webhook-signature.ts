/** How a webhook’s receiver can tell that what came is from here, and fresh: the signature of standardwebhooks.com. */
import { createHmac } from 'node:crypto';

const base64Prefix = 'whsec_';

/** A secret as it is written: text, or bytes in Base64 behind `whsec_`. */
const bytesOf = (secret: string): Buffer =>
  secret.startsWith(base64Prefix) ? Buffer.from(secret.slice(base64Prefix.length), 'base64') : Buffer.from(secret);

/**
 * The headers that sign a webhook, HMAC-SHA256 over id, time and body. At each attempt the id is the same and the time another.
 * @param secret text, or `whsec_` and Base64
 */
export function signatureHeaders(id: string, body: Uint8Array, secret: string, nowMs: number): Record<string, string> {
  const seconds = String(Math.floor(nowMs / 1_000));
  const signature = createHmac('sha256', bytesOf(secret)).update(`${id}.${seconds}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` };
}
