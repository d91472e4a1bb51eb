/** One file of tests, run in a process of its own, which has so long to end by itself. */
import { run } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { processTree } from '../bench/processes.ts';

export interface FileResult {
  readonly tookMs: number;
  readonly tests: number;
  readonly failed: number;
  /** What was skipped, and why. */
  readonly skipped: readonly string[];
}

/**
 * Resolves when its process has ended. A process that is not done at the limit is ended with all that it has started, and that is a failure of the file.
 * @param said is given what a reporter of the whole run has to know of it
 */
export async function runTestFile(path: string, limitMs: number, said: (event: TestEvent) => void): Promise<FileResult> {
  const late = new AbortController();
  const limit = setTimeout(() => {
    const left = processesOf(path);
    late.abort(new Error(tooLate(path, limitMs)));
    for (const pid of left) end(pid);
  }, limitMs);
  const startedAt = performance.now();
  let [tests, failed] = [0, 0];
  const skipped: string[] = [];
  try {
    for await (const event of events(path, late.signal)) {
      if (event.type === 'test:summary' && event.data.file === undefined) tests = event.data.counts.tests;
      if (event.type === 'test:fail' && event.data.todo === undefined) failed += 1;
      if (event.type === 'test:pass' && event.data.skip !== undefined) skipped.push(`${event.data.name}: ${String(event.data.skip)}`);
      if (!isOfTheRun(event)) said(event);
    }
  } finally {
    clearTimeout(limit);
  }
  return { tookMs: performance.now() - startedAt, tests, failed, skipped };
}

const events = (path: string, signal: AbortSignal): AsyncIterable<TestEvent> =>
  run({ files: [path], concurrency: 1, signal, execArgv: ['--disable-warning=ExperimentalWarning'] });

/** What each run counts for itself. */
const isOfTheRun = ({ type, data }: TestEvent): boolean =>
  (type === 'test:summary' || type === 'test:diagnostic' || type === 'test:plan') && data.file === undefined;

const tooLate = (path: string, limitMs: number): string =>
  `${path} did not end within ${limitMs / 1_000} s: one of its tests waits for ever, or all of them have ended and something is left open (a timer, a server, a process that it started)`;

/** The file's process and all below it. */
function processesOf(path: string): number[] {
  const own = processTree(process.pid);
  const top = own.filter(({ parent, title }) => parent === process.pid && title.includes(path));
  return top.flatMap(({ pid }) => processTree(pid)).map(({ pid }) => pid);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended just now.
  }
}
