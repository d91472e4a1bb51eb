/** The audit records as JSON lines in the data folder: what can be copied away, and looked at without Swiftlet. */
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** A file is not added to any more when it is over this. */
const fileBytes = 16 * 1024 * 1024;
const numberDigits = 12;
const lineFeed = 0x0a;
/** Of the newest file's end so many lines are looked at: somebody may have written others among them. */
const lastLooked = 100;
const namePattern = /^audit-(\d+)\.jsonl$/;
const seqSchema = z.object({ seq: z.int() });

export class AuditFile {
  readonly #folder: string;
  readonly #fileBytes: number;

  private constructor(folder: string, bytes: number) {
    this.#folder = folder;
    this.#fileBytes = bytes;
  }

  /** @param folder of its own; made when it is missing @param bytes a file is not added to any more when it is over this */
  static async open(folder: string, bytes = fileBytes): Promise<AuditFile> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new AuditFile(folder, bytes);
  }

  /** Adds lines to the newest file; when this resolves they are on disk. @param seq the number of the first of them */
  async append(seq: number, lines: readonly string[]): Promise<void> {
    const newest = (await this.#files()).at(-1);
    const isFull = newest === undefined || (await stat(newest.path)).size > this.#fileBytes;
    const path = isFull ? join(this.#folder, `audit-${String(seq).padStart(numberDigits, '0')}.jsonl`) : newest.path;
    await using file = await open(path, 'a', 0o600);
    await file.write(lines.map((line) => `${line}\n`).join(''));
    await file.datasync();
  }

  /** The number of the last record; 0 when there is none. A line that was cut off when the machine died is taken away. */
  async last(): Promise<number> {
    const newest = (await this.#files()).at(-1);
    if (newest === undefined) return 0;
    const bytes = await readFile(newest.path);
    const whole = bytes.lastIndexOf(lineFeed) + 1;
    if (whole < bytes.length) await truncate(newest.path, whole);
    const numbers = bytes.toString('utf8', 0, whole).split('\n').map(seqOf);
    return Math.max(newest.first - 1, ...numbers.slice(-lastLooked));
  }

  /** All lines, oldest first. */
  async *lines(): AsyncGenerator<string> {
    for (const { path } of await this.#files()) yield* linesOf(path);
  }

  /** Removes files that have nothing but records up to this one. */
  async trim(upTo: number): Promise<void> {
    const files = await this.#files();
    for (const [at, { path }] of files.entries()) {
      const next = files[at + 1];
      if (next !== undefined && next.first <= upTo + 1) await rm(path, { force: true });
    }
  }

  async #files(): Promise<{ readonly path: string; readonly first: number }[]> {
    return (await readdir(this.#folder))
      .flatMap((name) => {
        const first = namePattern.exec(name)?.[1];
        return first === undefined ? [] : [{ path: join(this.#folder, name), first: Number(first) }];
      })
      .sort((one, other) => one.first - other.first);
  }
}

/** Only a line feed ends one: node:readline would also split at U+2028, which JSON leaves as it is within a record. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let begun = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const [first = '', ...others] = String(chunk).split('\n');
    begun += first;
    for (const next of others) {
      yield begun;
      begun = next;
    }
  }
  if (begun !== '') yield begun;
}

/** @returns 0 for what is no record: what that means is for a verification to say */
function seqOf(line: string): number {
  try {
    return seqSchema.parse(JSON.parse(line)).seq;
  } catch {
    return 0;
  }
}
