/** A file of numbers, one a line, that others write to: read as it grows, since it may grow long. */
import { closeSync, openSync, readSync } from 'node:fs';

const readAtOnce = 64 * 1024;

export class GrowingLedger implements Disposable {
  /** How often each number is in it. */
  readonly times = new Map<number, number>();
  readonly #file: number;
  readonly #buffer = Buffer.alloc(readAtOnce);
  /** The line that is not whole yet. */
  #rest = '';

  constructor(path: string) {
    this.#file = openSync(path, 'r');
  }

  /** Reads what was written since. @returns how many different numbers there are */
  read(): number {
    for (let count = this.#more(); count > 0; count = this.#more()) {
      const lines = (this.#rest + this.#buffer.toString('latin1', 0, count)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.times.set(Number(line), (this.times.get(Number(line)) ?? 0) + 1);
    }
    return this.times.size;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #more(): number {
    return readSync(this.#file, this.#buffer, 0, readAtOnce, null);
  }
}
