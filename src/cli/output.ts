/** What the CLI says: results on stdout, for people or as JSON; everything else on stderr. */
import Table from 'cli-table3';
import ora, { type Ora } from 'ora';
import colors from 'picocolors';
import { SwiftletError, toProblem } from '../model/errors.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';

export interface Output {
  readonly json: boolean;
  /** A result: as it is for machines, as `text` for people. */
  readonly result: (value: unknown, text: () => string) => void;
  /** Shows on a terminal that something takes a while. */
  readonly progress: <T>(what: string, work: Promise<T>) => Promise<T>;
  readonly note: (text: string) => void;
}

const patienceMs = 300;

export function openOutput(json: boolean): Output {
  const quiet = json || !process.stderr.isTTY;
  return {
    json,
    result: (value, text) => {
      process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text()}\n`);
    },
    async progress(what, work) {
      if (quiet) return work;
      let spinner: Ora | undefined;
      const timer = setTimeout(() => {
        spinner = ora({ text: what, stream: process.stderr }).start();
      }, patienceMs);
      try {
        return await work;
      } finally {
        clearTimeout(timer);
        spinner?.stop();
      }
    },
    note: (text) => {
      if (!json) process.stderr.write(`${text}\n`);
    },
  };
}

const plain = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A table without lines, as terminals' own tools print them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const made = new Table({
    head: head.map((title) => colors.dim(title)),
    chars: plain,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => [...row]));
  return made.toString();
}

/** Says what went wrong, and ends with the code that scripts know. */
export function fail(error: unknown, json: boolean): never {
  const known = error instanceof SwiftletError ? error : undefined;
  if (json) process.stderr.write(`${JSON.stringify(toProblem(error, ''))}\n`);
  else {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${colors.red('error')} ${message}${known === undefined ? '' : colors.dim(` (${known.code})`)}\n`);
    if (known === undefined && error instanceof Error && process.env['SWIFTLET_DEBUG'] !== undefined)
      process.stderr.write(`${error.stack ?? ''}\n`);
  }
  process.exit(known === undefined ? exitCode.failed : exitCodeOf(known.code));
}
