/** The runtime that starts programs, as the agent prepares and starts it, without a sandbox. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as sendRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { bundleRuntime } from '../../../src/agent/runtimes/bundle-runtime.ts';
import { runtimeCommand } from '../../../src/agent/sandbox/sandbox-driver.ts';
import { packageFolder } from '../../../src/role/package-folder.ts';
import type { InitReport, InitRequest, InvocationFailure } from '../../../src/wire/instance-protocol.ts';
import { RuntimeUnderTest } from '../runtime-under-test.ts';

/** Of this process; gone with it. */
export const folder = mkdtempSync(join(tmpdir(), 'swiftlet-program-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
await bundleRuntime(join(packageFolder, 'runtimes', 'program'), join(folder, 'runtime'));
const command = runtimeCommand('program', process.execPath, join(folder, 'runtime'), 128);
let made = 0;

export class ProgramUnderTest extends RuntimeUnderTest {
  readonly #codeDir: string;

  /** @param files by path; all may be executed */
  constructor(files: Readonly<Record<string, string>>) {
    super(command);
    this.#codeDir = join(folder, String((made += 1)));
    for (const [name, content] of Object.entries(files)) {
      const path = join(this.#codeDir, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      chmodSync(path, 0o755);
    }
  }

  start(runtime: 'provided' | 'http', handler: string, request: Partial<InitRequest> = {}): Promise<InitReport | InvocationFailure> {
    return this.init(handler, { runtime, codeDir: this.#codeDir, ...request });
  }
}

/** A program whose part in the Runtime API the test plays itself: it prints where that is, and waits. */
const waiting = { bootstrap: '#!/bin/sh\necho "api=$AWS_LAMBDA_RUNTIME_API"\nwhile kill -0 $PPID; do sleep 1; done 2>/dev/null\n' };

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Posted {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | AsyncIterable<string>;
  /** Sent after the body. */
  readonly trailers?: Readonly<Record<string, string>>;
}

export class RuntimeApiUnderTest extends ProgramUnderTest {
  #address = '';

  constructor() {
    super(waiting);
  }

  /** Starts the program without asking for an event. */
  async begin(request: Partial<InitRequest> = {}): Promise<{ readonly initialised: Promise<InitReport | InvocationFailure> }> {
    const initialised = this.start('provided', 'some.handler', request);
    const [line = ''] = await this.texts(1);
    this.#address = line.replace('api=', '');
    return { initialised };
  }

  next(): Promise<ApiAnswer> {
    return this.ask('invocation/next', { method: 'GET' });
  }

  ask(path: string, posted?: Posted): Promise<ApiAnswer> {
    return this.at(`/2018-06-01/runtime/${path}`, posted);
  }

  /** Asks whatever is served there. */
  async at(path: string, { method = 'POST', headers = {}, body = '', trailers }: Posted = {}): Promise<ApiAnswer> {
    const request = sendRequest(`http://${this.#address}${path}`, { method, headers });
    const answered = new Promise<ApiAnswer>((resolve, reject) => {
      request.once('error', reject);
      request.once('response', (response) => {
        text(response).then((said) => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: said }), reject);
      });
    });
    if (typeof body === 'string' || Buffer.isBuffer(body)) request.write(body);
    else for await (const piece of body) request.write(piece);
    if (trailers !== undefined) request.addTrailers(trailers);
    request.end();
    return answered;
  }
}

/** One that has asked for its first event. */
export async function begun(
  request: Partial<InitRequest> = {},
): Promise<{ readonly tested: RuntimeApiUnderTest; readonly first: Promise<ApiAnswer> }> {
  const tested = new RuntimeApiUnderTest();
  const { initialised } = await tested.begin(request);
  const first = tested.next();
  const report = await initialised;
  if (!('initMs' in report)) throw new Error(JSON.stringify(report));
  return { tested, first };
}
