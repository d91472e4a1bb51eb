/** Installing what a function asks for, and packing it. Runs inside of a build's sandbox. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { SwiftletError } from '../../model/errors.ts';
import { packBundle } from '../bundle.ts';
import { cutLines } from './cut-lines.ts';

/** What the agent tells. */
export interface InstallOrder {
  /** Files that say what is installed, by path, in base64. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The folder that is made of it. */
  readonly makes: string;
  /** What to call the program that installs. */
  readonly name: string;
  /** The program that installs, and its arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Characters of output that are passed on. */
  readonly logBytes: number;
  /** Bytes of a bundle in one line. */
  readonly atOnce: number;
}

type Line = { readonly log: string } | { readonly modules: string } | { readonly end: true } | { readonly failed: Failure };
interface Failure {
  readonly code: 'BuildFailed' | 'BundleRejected';
  readonly message: string;
}

const work = '/tmp/build';
const lineLength = 4_096;
const lastWordsMs = 200;

/** Writes lines as src/wire/build-calls.ts has them. */
export async function install(order: InstallOrder, out: Writable): Promise<void> {
  const { inputs, makes, name } = order;
  await mkdir(join(work, makes), { recursive: true });
  for (const [path, content] of Object.entries(inputs)) {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), content, 'base64');
  }
  const failure = await run(order, limitedLog(out, order.logBytes));
  if (failure !== undefined) {
    await tell(out, { failed: { code: 'BuildFailed', message: `${name} ended with ${failure}` } });
    return;
  }
  try {
    const { bytes } = await packBundle(work, (path) => !path.startsWith(`${makes}/`) || path.startsWith('node_modules/.cache/'));
    for (let at = 0; at < bytes.length; at += order.atOnce) {
      await tell(out, { modules: bytes.subarray(at, at + order.atOnce).toString('base64') });
    }
    await tell(out, { end: true });
  } catch (error) {
    if (!(error instanceof SwiftletError)) throw error;
    await tell(out, { failed: { code: 'BundleRejected', message: error.message } });
  }
}

/** @returns how it ended when it failed: a number, or a signal's name */
async function run(
  { command: [program = '', ...argument], environment }: InstallOrder,
  log: (line: string) => void,
): Promise<string | undefined> {
  const child = spawn(program, argument, { cwd: work, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) cutLines(stream, lineLength, log);
  const closed = once(child, 'close');
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  // What it said last is read still; but what a package left running may keep the pipes open for ever.
  await Promise.race([closed, pause(lastWordsMs, undefined, { ref: false })]);
  return code === 0 ? undefined : String(code ?? signal);
}

/** Passes lines on until they are too many, which the last one says. */
function limitedLog(out: Writable, limit: number): (line: string) => void {
  let left = limit;
  return (log) => {
    if (left <= 0) return;
    left -= log.length + 1;
    const line: Line = { log: left > 0 ? log : `what follows is left out: a build's output has ${limit} characters at most` };
    out.write(`${JSON.stringify(line)}\n`);
  };
}

/** Resolves when there is room for more. */
async function tell(out: Writable, line: Line): Promise<void> {
  if (!out.write(`${JSON.stringify(line)}\n`)) await once(out, 'drain');
}
