/**
 * Memory for pieces of answers on their way to their callers, used again once the kernel has them: fresh memory for each would make V8
 * collect all of the gateway's several times a second, and every request wait for it.
 */
import { bodyChunkBytes } from '../../wire/frames.ts';

const keptChunks = 64;
const free: Chunk[] = [];

export class Chunk {
  readonly #memory = Buffer.allocUnsafeSlow(bodyChunkBytes);
  /** To be called when nobody reads its bytes any more. */
  readonly release = (): void => {
    if (free.length < keptChunks) free.push(this);
  };

  fill(bytes: Buffer): Buffer {
    return this.#memory.subarray(0, bytes.copy(this.#memory));
  }
}

export const takeChunk = (): Chunk => free.pop() ?? new Chunk();
