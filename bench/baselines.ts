/** What a figure is compared with, measured in the same run on the same machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * Starts a bare Node.js (this one) that writes one byte.
 * @returns milliseconds from spawn to that byte
 */
export async function bareStart(): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("1")'], { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
  await once(child.stdout, 'data');
  const tookMs = performance.now() - startedAt;
  await once(child, 'exit');
  return tookMs;
}

/** The host's, which is what functions in Python run on. */
const python = '/usr/bin/python3';

/**
 * Starts a bare Python that does nothing.
 * @returns milliseconds from spawn to its end
 */
export async function barePythonStart(): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(python, ['-c', 'pass'], { stdio: ['ignore', 'ignore', 'inherit'], env: {} });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${python} -c pass ended with ${String(code)}`);
  return performance.now() - startedAt;
}

/** One after another, after three that only warm the file cache. */
export async function bareStarts(count: number, start = bareStart): Promise<number[]> {
  for (let i = 0; i < 3; i++) await start();
  const samples: number[] = [];
  while (samples.length < count) samples.push(await start());
  return samples;
}

/** A server to put under load. */
export interface LoadTarget extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
}

/** A bare `node:http` server in a process of its own. */
export async function startBareHttp(): Promise<LoadTarget> {
  const script = fileURLToPath(new URL('./bare-http.ts', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    name: 'bare node:http',
    url: `http://127.0.0.1:${port.toString().trim()}/`,
    async [Symbol.asyncDispose]() {
      if (child.kill()) await once(child, 'exit');
    },
  };
}
