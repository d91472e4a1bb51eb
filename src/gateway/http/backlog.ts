/** Bytes on their way to a caller, in one piece however small they came: each small one by itself would take a hundred times its size. */
const firstBytes = 4096;

export class Backlog {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  /** Takes a copy. @returns how many bytes there are now */
  add(bytes: Buffer): number {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(firstBytes, length, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.#length);
    this.#length = length;
    return length;
  }

  /** @returns everything added since the last time; undefined when it is nothing */
  take(): Buffer | undefined {
    if (this.#length === 0) return undefined;
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return bytes;
  }
}
