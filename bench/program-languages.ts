/** Functions of the runtimes whose functions are processes of their own, compiled here, each with the bare start that it is compared with. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type PackedBundle, packBundle } from '../src/build/bundle.ts';
import { bareStart } from './baselines.ts';
import type { ConfigInput } from './control-api.ts';
import { helloAnswer } from './bench-functions.ts';

export interface ProgramLanguage {
  readonly name: string;
  readonly config: ConfigInput;
  readonly bundle: PackedBundle;
  /** Starts it without the platform. @returns milliseconds to its first byte */
  readonly bare: () => Promise<number>;
  readonly bareName: string;
}

export interface ProgramLanguages extends AsyncDisposable {
  readonly all: readonly ProgramLanguage[];
}

const server = `import { createServer } from 'node:http';
createServer((request, response) => response.end(${JSON.stringify(JSON.stringify(helloAnswer))})).listen(process.env.PORT);
`;
/** What JVMs of the platform are started with, too. */
const jvmFlags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Compiles what has to be. To be disposed of when the last bare start is over. */
export async function openProgramLanguages(): Promise<ProgramLanguages> {
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-bench-languages-'));
  const [java, go, http] = ['java', 'go', 'http'].map((name) => join(folder, name)) as [string, string, string];
  for (const one of [java, go, http]) await mkdir(one);
  const sources = (name: string) => join(import.meta.dirname, name);
  await promisify(execFile)('javac', ['--release', '17', '-d', java, join(sources('hello-java'), 'hello', 'Hello.java')]);
  await promisify(execFile)('go', ['build', '-o', join(go, 'bootstrap'), '.'], {
    cwd: sources('hello-go'),
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  await writeFile(join(http, 'server.mjs'), server);
  return {
    all: [
      {
        name: 'Java',
        config: { runtime: 'java', handler: 'hello.Hello', memoryMiB: 256 },
        bundle: await packBundle(java),
        bare: () => bareProgram('java', [...jvmFlags, '-cp', java, 'hello.Hello']),
        bareName: 'bare JVM start',
      },
      {
        name: 'Go',
        config: { runtime: 'provided', handler: 'bootstrap' },
        bundle: await packBundle(go),
        bare: () => bareProgram(join(go, 'bootstrap'), []),
        bareName: 'bare start of the program',
      },
      {
        name: 'a server in Node.js',
        config: { runtime: 'http', handler: 'exec node server.mjs' },
        bundle: await packBundle(http),
        bare: bareStart,
        bareName: 'bare Node.js start',
      },
    ],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function bareProgram(program: string, words: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: '/usr/bin' } });
  await once(child.stdout, 'data');
  const tookMs = performance.now() - startedAt;
  await once(child, 'exit');
  return tookMs;
}
