import type { Readable } from 'node:stream';

/** Content that came in and is not yet kept. Disposing drops it; after `keep` that does nothing. */
export interface StagedBlob extends AsyncDisposable {
  /** SHA-256 in hex. */
  readonly digest: string;
  readonly size: number;
  /** Reads what was staged; may be called more than once until it is kept or dropped. */
  open(): Readable;
  /**
   * Puts it where `open` of Blobs finds it by its digest. When this resolves it survives the machine's death.
   * @returns whether it was not there yet
   */
  keep(): Promise<boolean>;
}

/** Some bytes of a blob; fewer where it ends. */
export interface BlobPiece {
  readonly fromByte: number;
  readonly bytes: number;
}

/**
 * Artifacts’ bytes by their digest. What lies under a digest is always whole: a crash at any moment leaves either all of it or
 * nothing. A full disk is SwiftletError StorageFull and leaves nothing behind. Blobs are shared by all tenants; who may have which
 * is the store’s to know.
 */
export interface Blobs {
  /**
   * Takes a stream in. When it fails, also in the middle, nothing is left of it.
   * @throws SwiftletError RequestTooLarge as soon as it is over the limit
   */
  stage(source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<StagedBlob>;
  has(digest: string): Promise<boolean>;
  /**
   * @param piece absent: all of it
   * @throws (by the stream) when there is no such blob
   */
  open(digest: string, piece?: BlobPiece): Readable;
  /** Removing what is not there is no mistake. */
  remove(digest: string): Promise<void>;
  digests(): Promise<string[]>;
}
