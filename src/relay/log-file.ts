/** One function's log: files of JSON lines, rotated by size, written in batches, read from the end. */
import { appendFile, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findLine } from './find-line.ts';
import { ifAbsent } from './if-absent.ts';

const flushAfterMs = 30;
/** Bytes that may wait for a slow disk; what comes then is dropped. */
const maxWaitingBytes = 4 * 1024 * 1024;
const readBlockBytes = 64 * 1024;
const fileName = (number: number): string => `${String(number).padStart(8, '0')}.jsonl`;

/** How much is kept: files of this size, so many of them, oldest first out. */
export interface LogSize {
  readonly fileBytes: number;
  readonly files: number;
}

export interface LogFileMeans {
  readonly size: LogSize;
  failed(error: unknown, lostBytes: number): void;
  /** Lines that are stored from now on. */
  wrote(lines: string): void;
}

export class LogFile {
  readonly #folder: string;
  readonly #means: LogFileMeans;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #number = 0;
  #size = 0;
  #opened = false;

  constructor(folder: string, means: LogFileMeans) {
    this.#folder = folder;
    this.#means = means;
  }

  /** @param lines whole lines, each with its newline */
  append(lines: string): void {
    if (this.#waitingBytes > maxWaitingBytes) {
      this.#means.failed(new Error('the log falls behind'), lines.length);
      return;
    }
    this.#waiting.push(lines);
    this.#waitingBytes += lines.length;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writing.then(() => this.#flush());
    }, flushAfterMs);
  }

  /** The last lines, oldest first. What waits to be written is written first. */
  async last(count: number): Promise<string[]> {
    await this.settle();
    const lines: string[] = [];
    for (const name of (await this.#names()).toReversed()) {
      if (lines.length >= count) break;
      lines.unshift(...(await lastLines(join(this.#folder, name), count - lines.length)));
    }
    return lines;
  }

  /** The first line that contains these bytes, in the newest file that has one. @throws what the signal is aborted with */
  async find(bytes: Buffer, signal: AbortSignal): Promise<string | undefined> {
    await this.settle();
    for (const name of (await this.#names()).toReversed()) {
      const line = await findLine(join(this.#folder, name), bytes, signal);
      if (line !== undefined) return line;
    }
    return undefined;
  }

  /** Writes what waits. */
  async settle(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#flush());
    await this.#writing;
  }

  async remove(): Promise<void> {
    this.#waiting = [];
    await this.settle();
    this.#opened = false;
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Removes the files that were last written before a moment, in milliseconds since 1970. */
  async forgetBefore(moment: number): Promise<void> {
    this.#writing = this.#writing.then(() => this.#removeBefore(moment));
    await this.#writing;
  }

  async #removeBefore(moment: number): Promise<void> {
    try {
      for (const name of await this.#names()) {
        const path = join(this.#folder, name);
        if ((await stat(path)).mtimeMs >= moment) return;
        await rm(path, { force: true });
        // It may be the one that is written to.
        this.#opened = false;
      }
    } catch (error) {
      this.#means.failed(error, 0);
    }
  }

  async #flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#means.wrote(text);
    try {
      await this.#open();
      const bytes = Buffer.from(text);
      await appendFile(join(this.#folder, fileName(this.#number)), bytes);
      this.#size += bytes.length;
      if (this.#size >= this.#means.size.fileBytes) await this.#rotate();
    } catch (error) {
      this.#means.failed(error, text.length);
      // A full disk may have taken half a line: opened again, the file is cut to whole ones.
      this.#opened = false;
      await this.#open().catch(() => undefined);
    }
  }

  async #open(): Promise<void> {
    if (this.#opened) return;
    await mkdir(this.#folder, { recursive: true });
    const last = (await this.#names()).at(-1);
    this.#number = last === undefined ? 0 : Number.parseInt(last, 10);
    this.#size = last === undefined ? 0 : await cutToWholeLines(join(this.#folder, last));
    this.#opened = true;
  }

  async #rotate(): Promise<void> {
    this.#number += 1;
    this.#size = 0;
    const names = await this.#names();
    for (const name of names.slice(0, Math.max(0, names.length - this.#means.size.files + 1)))
      await rm(join(this.#folder, name), { force: true });
  }

  async #names(): Promise<string[]> {
    const names = await readdir(this.#folder).catch(ifAbsent([]));
    return names.filter((name) => name.endsWith('.jsonl')).sort();
  }
}

/** Reads a file backwards until it has enough lines. */
async function lastLines(path: string, count: number): Promise<string[]> {
  const file = await open(path, 'r').catch(ifAbsent(undefined));
  if (file === undefined) return [];
  try {
    let at = (await file.stat()).size;
    let tail: Buffer = Buffer.alloc(0);
    let lines = 0;
    while (at > 0 && lines <= count) {
      const size = Math.min(readBlockBytes, at);
      at -= size;
      const block = Buffer.alloc(size);
      await file.read(block, 0, size, at);
      for (const byte of block) if (byte === 0x0a) lines += 1;
      tail = Buffer.concat([block, tail]);
    }
    return tail.toString().split('\n').filter(Boolean).slice(-count);
  } finally {
    await file.close();
  }
}

/** Cuts off a last line that was not written to its end. @returns the bytes that are left */
async function cutToWholeLines(path: string): Promise<number> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const block = Buffer.alloc(readBlockBytes);
    for (let end = size; end > 0; end -= readBlockBytes) {
      const start = Math.max(0, end - readBlockBytes);
      const { bytesRead } = await file.read(block, 0, end - start, start);
      const newline = block.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (newline < 0) continue;
      const whole = start + newline + 1;
      if (whole < size) await file.truncate(whole);
      return whole;
    }
    await file.truncate(0);
    return 0;
  } finally {
    await file.close();
  }
}
