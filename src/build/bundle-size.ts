import { Transform } from 'node:stream';
import type { BundleLimits } from './bundle-limits.ts';
import { refusal } from './bundle-refusal.ts';

/** A few kilobytes of zeros compress beyond any ratio and hurt nobody. */
const ratioFromBytes = 16 * 1024 * 1024;
const endMarkBytes = 1024;
const leaveOut = 'leave out what the function does not need';

/** Counts a bundle's bytes on both sides of the decompression. */
export interface SizeGuard {
  readonly packed: Transform;
  readonly unpacked: Transform;
  /** @throws SwiftletError BundleRejected when the decompression took less than what came, or the archive lacks its end */
  checkEnd(taken: number): void;
}

export function sizeGuard(limits: BundleLimits): SizeGuard {
  let packedBytes = 0;
  let unpackedBytes = 0;
  let last: Buffer = Buffer.alloc(0);
  return {
    packed: counting((chunk) => {
      packedBytes += chunk.length;
      return packedBytes > limits.packedBytes ? refusal('', `it is over ${limits.packedBytes} bytes`, leaveOut) : undefined;
    }),
    unpacked: counting((chunk) => {
      unpackedBytes += chunk.length;
      last = chunk.length >= endMarkBytes ? chunk.subarray(-endMarkBytes) : Buffer.concat([last, chunk]).subarray(-endMarkBytes);
      if (unpackedBytes > limits.unpackedBytes) return refusal('', `it unpacks to over ${limits.unpackedBytes} bytes`, leaveOut);
      if (unpackedBytes > ratioFromBytes && unpackedBytes > packedBytes * limits.ratio)
        return refusal('', `it unpacks to over ${limits.ratio} times its size`, 'leave out files that are all alike');
      return undefined;
    }),
    checkEnd(taken) {
      if (taken !== packedBytes) throw refusal('', 'something follows its end', 'pack it again');
      if (last.length < endMarkBytes || last.some((byte) => byte !== 0)) throw refusal('', 'it is cut short', 'pack it again');
    },
  };
}

const counting = (fault: (chunk: Buffer) => Error | undefined): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, next) {
      next(fault(chunk) ?? null, chunk);
    },
  });
