/** The logs of all functions on this host, and those who follow them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { nameSchema } from '../model/names.ts';
import { functionKey } from '../wire/published-state.ts';
import type { LogRecord } from '../wire/relay-calls.ts';
import { ifAbsent } from './if-absent.ts';
import { LogFile, type LogSize } from './log-file.ts';

const complainEveryMs = 10_000;
/** JSON leaves these as they are, but some readers of lines take them for line ends, and some terminals for orders. */
const leftByJson = /[\u007f-\u009f\u2028\u2029]/g;
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

export interface FoundLine {
  readonly function: string;
  readonly line: string;
}

export class LogStore {
  readonly #folder: string;
  readonly #size: LogSize;
  readonly #log: Logger;
  readonly #files = new Map<string, LogFile>();
  readonly #followers = new Map<string, Set<(lines: string[]) => void>>();
  #complainedAt = -Infinity;
  lines = 0;
  lostBytes = 0;

  /** @param size of each function's log */
  constructor(folder: string, size: LogSize, log: Logger) {
    this.#folder = folder;
    this.#size = size;
    this.#log = log;
  }

  append(tenant: string, name: string, record: LogRecord): void {
    this.appendLines(tenant, name, `${JSON.stringify(record).replace(leftByJson, escaped)}\n`);
  }

  /** @param lines finished records, each with its newline */
  appendLines(tenant: string, name: string, lines: string): void {
    this.#file(tenant, name).append(lines);
  }

  last(tenant: string, name: string, count: number): Promise<string[]> {
    return this.#file(tenant, name).last(count);
  }

  /**
   * The first line that contains these bytes, and whose log it is in.
   * @param name the function's; undefined: any
   * @throws what the signal is aborted with
   */
  async find(tenant: string, name: string | undefined, bytes: Buffer, signal: AbortSignal): Promise<FoundLine | undefined> {
    for (const each of name === undefined ? await this.#functions(tenant) : [name]) {
      const line = await this.#file(tenant, each).find(bytes, signal);
      if (line !== undefined) return { function: each, line };
    }
    return undefined;
  }

  /** @returns what ends the following */
  follow(tenant: string, name: string, onLines: (lines: string[]) => void): () => void {
    const key = functionKey(tenant, name);
    const followers = this.#followers.get(key) ?? new Set();
    this.#followers.set(key, followers.add(onLines));
    return () => {
      followers.delete(onLines);
      if (followers.size === 0) this.#followers.delete(key);
    };
  }

  async forget(tenant: string, name: string): Promise<void> {
    const key = functionKey(tenant, name);
    await this.#file(tenant, name).remove();
    this.#files.delete(key);
  }

  /** Removes what was last written before a moment, in milliseconds since 1970. */
  async forgetBefore(moment: number): Promise<void> {
    for (const tenant of await readdir(this.#folder).catch(ifAbsent([])))
      for (const name of await this.#functions(tenant)) await this.#file(tenant, name).forgetBefore(moment);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.settle()));
  }

  async #functions(tenant: string): Promise<string[]> {
    return readdir(join(this.#folder, nameSchema.parse(tenant))).catch(ifAbsent([]));
  }

  #file(tenant: string, name: string): LogFile {
    const key = functionKey(tenant, name);
    let file = this.#files.get(key);
    if (file === undefined) {
      // These become parts of a path.
      const folder = join(this.#folder, nameSchema.parse(tenant), nameSchema.parse(name));
      file = new LogFile(folder, {
        size: this.#size,
        failed: (error, lost) => this.#failed(error, lost),
        wrote: (text) => this.#wrote(key, text),
      });
      this.#files.set(key, file);
    }
    return file;
  }

  #wrote(key: string, text: string): void {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.lines += 1;
    const followers = this.#followers.get(key);
    if (followers === undefined) return;
    const lines = text.split('\n').filter(Boolean);
    for (const follower of followers) follower(lines);
  }

  #failed(error: unknown, lost: number): void {
    this.lostBytes += lost;
    const now = performance.now();
    if (now - this.#complainedAt < complainEveryMs) return;
    this.#complainedAt = now;
    this.#log.error({ err: error, lostBytes: this.lostBytes }, 'log lines were lost; free space on the disk of SWIFTLET_HOME');
  }
}
