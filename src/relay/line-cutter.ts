/** Cuts a byte stream into lines, each with a limit. What is over the limit is counted and dropped, so that memory stays bounded. */
const newline = 0x0a;

export class LineCutter {
  readonly #limit: number;
  readonly #onLine: (line: string) => void;
  #pieces: Buffer[] = [];
  #length = 0;
  #cut = 0;

  constructor(limitBytes: number, onLine: (line: string) => void) {
    this.#limit = limitBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end));
      this.#emit();
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** Takes what has come as the last line. */
  end(): void {
    if (this.#length > 0 || this.#cut > 0) this.#emit();
  }

  #keep(bytes: Buffer): void {
    const room = this.#limit - this.#length;
    const kept = bytes.length > room ? bytes.subarray(0, room) : bytes;
    if (kept.length > 0) {
      // A copy: the chunk it lies in is much larger than what is kept of it.
      this.#pieces.push(Buffer.from(kept));
      this.#length += kept.length;
    }
    this.#cut += bytes.length - kept.length;
  }

  #emit(): void {
    const text = Buffer.concat(this.#pieces, this.#length).toString();
    const line = this.#cut > 0 ? `${text}… (${this.#cut} bytes cut)` : text;
    this.#pieces = [];
    this.#length = 0;
    this.#cut = 0;
    this.#onLine(line);
  }
}
