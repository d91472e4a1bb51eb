// The function's program: a child of this process, whose output becomes records.
import { log } from '../node/logs.mjs';
import { ProgramFailure } from './program-failure.mjs';

const { spawn } = process.getBuiltinModule('node:child_process');
const { existsSync } = process.getBuiltinModule('node:fs');
const { constants } = process.getBuiltinModule('node:os');
const lastWordsBytes = 1024;
const lastLines = 5;
/** What the program has started may hold its output open for longer than it lives itself. */
const drainMs = 200;
const signalBase = 128;

/**
 * How a program ended.
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null }} End
 *
 * @typedef {object} Program
 * @property {Promise<End>} ended resolves when it has ended and what it printed is read
 * @property {Promise<unknown>} left resolves when nobody has its output open any more: it and what it has started have ended
 * @property {() => void} kill ends it at once
 * @property {() => void} terminate asks it, and those of its group, to end: SIGTERM
 * @property {() => string} lastWords the last lines that it printed, for a message; empty when there are none
 */

/**
 * @typedef {{ env: NodeJS.ProcessEnv, cwd: string, hear?: (chunk: Buffer) => void, isGroup?: boolean }} Place with who hears what it prints, too, and whether what it starts is signalled with it
 *
 * @param {string} file @param {readonly string[]} argument
 * @param {Place} place
 * @returns {Promise<Program>}
 * @throws ProgramFailure Runtime.InvalidEntrypoint
 */
export async function startProgram(file, argument, { env, cwd, hear, isGroup = false }) {
  const child = spawn(file, argument, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: isGroup });
  const end = endOf(child);
  const left = new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new ProgramFailure('Runtime.InvalidEntrypoint', whyNotStarted(file, error))));
  });
  let printed = Buffer.alloc(0);
  /** @param {Buffer} chunk */
  const keep = (chunk) => {
    printed = Buffer.concat([printed, chunk]).subarray(-lastWordsBytes);
  };
  for (const [from, to] of /** @type {const} */ ([
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ])) {
    from.on('data', (/** @type {Buffer} */ chunk) => {
      keep(chunk);
      hear?.(chunk);
      // These make records of what is written.
      to.write(chunk);
    });
  }
  const kill = () => void child.kill('SIGKILL');
  const terminate = () => {
    const { pid } = child;
    if (pid === undefined) return;
    try {
      process.kill(isGroup ? -pid : pid, 'SIGTERM');
    } catch {
      // It has ended in the meantime.
    }
  };
  return { ended: end, left, kill, terminate, lastWords: () => printed.toString().trim().split('\n').slice(-lastLines).join('\n') };
}

/** @param {import('node:child_process').ChildProcess} child @returns {Promise<End>} */
function endOf(child) {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      const late = setTimeout(() => resolve({ code, signal }), drainMs);
      child.once('close', () => {
        clearTimeout(late);
        resolve({ code, signal });
      });
    });
  });
}

/** @param {string} file @param {Error & { code?: string }} error */
function whyNotStarted(file, { code, message }) {
  if (code === 'EACCES') return `${file} may not be executed; set its executable bit before it is packed (chmod +x)`;
  if (code === 'ENOENT' && existsSync(file))
    return `${file} needs an interpreter or a loader that is not in the sandbox; see its first line`;
  if (code === 'ENOENT') return `there is no ${file}`;
  return `${file} cannot be started: ${message}`;
}

/** @param {End} end */
export const endInWords = ({ code, signal }) => (signal === null ? `exit status ${code}` : `signal: ${signal}`);

/** Ends this process as the program ended, so that the platform sees an instance's end. @param {End} end */
export function endLike({ code, signal }) {
  log('fatal', `Runtime exited: ${endInWords({ code, signal })}`);
  process.exit(signal === null ? (code ?? 1) : signalBase + constants.signals[signal]);
}
