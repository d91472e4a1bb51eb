import { bundle } from '../model/limits.ts';

/** What a bundle may be. */
export interface BundleLimits {
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** Files, and the folders they are in. */
  readonly entries: number;
  /** Unpacked bytes to packed bytes. */
  readonly ratio: number;
}

export const bundleLimits: BundleLimits = bundle;
