import { Buffer } from '../node/intrinsics.mjs';

/** As AWS Lambda limits what a runtime posts. */
export const maxPostedBytes = 6_291_556;

/** @typedef {{ kind: 'whole', bytes: Buffer } | { kind: 'too large', size: number } | { kind: 'cut off' }} Posted */

/**
 * What the program posts. Of what is too large the rest is read and dropped, so that it comes to reading the answer.
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<Posted>}
 */
export async function readPosted(request) {
  /** @type {Buffer[]} */
  const pieces = [];
  let size = 0;
  try {
    for await (const piece of request) {
      size += piece.length;
      if (size <= maxPostedBytes) pieces.push(piece);
      else pieces.length = 0;
    }
  } catch {
    return { kind: 'cut off' };
  }
  return size > maxPostedBytes ? { kind: 'too large', size } : { kind: 'whole', bytes: Buffer.concat(pieces) };
}
