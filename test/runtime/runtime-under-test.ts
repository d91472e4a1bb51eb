/** A runtime as the agent starts it, without a sandbox: a listening socket as descriptor 3, a pipe as 1 and 2. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { createConnection, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleRuntime } from '../../src/agent/runtimes/bundle-runtime.ts';
import { besideBoot } from '../../src/agent/runtimes/node-runtimes.ts';
import { closeFd, listenUnix, makeFifo } from '../../src/agent/linux/libc.ts';
import type { NodeRuntimeName } from '../../src/model/runtimes.ts';
import { frame, type InitReport, type InitRequest, type InvocationFailure, type RuntimeState } from '../../src/wire/instance-protocol.ts';
import { RuntimeLink } from './runtime-link.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const packages: Readonly<Record<NodeRuntimeName, string>> = {
  nodejs22: 'nodejs22-linux',
  nodejs24: 'nodejs24-linux',
  nodejs26: 'node-linux',
};
/** As the agent starts it. */
const bundled = mkdtempSync(join(tmpdir(), 'swiftlet-runtime-code-'));
await bundleRuntime(join(repository, 'runtimes', 'node'), bundled, besideBoot);
process.once('exit', () => rmSync(bundled, { recursive: true }));
export const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));

const nodeCommand = (runtime: NodeRuntimeName): readonly string[] => [
  join(repository, 'node_modules', `${packages[runtime]}-${process.arch}`, 'bin', 'node'),
  '--max-old-space-size=128',
  '--disable-warning=ExperimentalWarning',
  join(bundled, 'boot.cjs'),
];

/** [level, unix ms, request id, text], or a line that no runtime wrote. */
export type PrintedLine = readonly [level: string, time: number, requestId: string, text: string] | string;

export interface Exited {
  readonly code: number | null;
  readonly signal: string | null;
}

export class RuntimeUnderTest implements AsyncDisposable {
  readonly link: RuntimeLink;
  readonly exited: Promise<Exited>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #output: Socket | undefined;
  #printed = '';

  /**
   * @param runtime or the command that starts one
   * @param args what the runtime is to have ready, beyond what it always has
   */
  constructor(runtime: NodeRuntimeName | readonly string[], args: readonly string[] = []) {
    this.#folder = mkdtempSync(join(tmpdir(), 'swiftlet-runtime-'));
    const socketPath = join(this.#folder, 's');
    const fifoPath = join(this.#folder, 'o');
    const socket = listenUnix(socketPath, 16);
    makeFifo(fifoPath, 0o600);
    const output = openSync(fifoPath, constants.O_RDWR);
    const [program = '', ...flags] = typeof runtime === 'string' ? nodeCommand(runtime) : runtime;
    this.#child = spawn(program, [...flags, ...args], {
      stdio: ['ignore', output, output, socket],
      env: { PATH: '/usr/bin:/bin', HOME: this.#folder, TMPDIR: this.#folder },
      cwd: this.#folder,
    });
    this.read();
    closeFd(socket);
    closeSync(output);
    this.exited = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve({ code, signal })));
    this.link = new RuntimeLink(createConnection(socketPath));
    this.connect = () => new RuntimeLink(createConnection(socketPath));
  }

  /** Opens one more connection, as another gateway would. */
  readonly connect: () => RuntimeLink;

  async state(link = this.link): Promise<RuntimeState> {
    link.send(frame.probe, 0);
    return JSON.parse((await link.next(0, frame.state)).payload.toString()) as RuntimeState;
  }

  /** @param handler relative to the fixtures, unless the request says where the code lies */
  async init(
    handler: string,
    { codeDir = fixtures, ...request }: Partial<InitRequest> & { codeDir?: string } = {},
    link = this.link,
  ): Promise<InitReport | InvocationFailure> {
    const whole: InitRequest = {
      runtime: 'nodejs26',
      function: 'tested',
      version: 3,
      instanceId: 'instance-1',
      handler,
      environment: {},
      memoryMiB: 128,
      timeoutMs: 5_000,
      initTimeoutMs: 5_000,
      concurrency: 1,
      ...request,
    };
    link.sendTogether([
      [frame.init, 0, JSON.stringify(whole)],
      [frame.load, 0, codeDir],
    ]);
    const { payload } = await link.next(0, frame.initialised, frame.initFailed);
    return JSON.parse(payload.toString()) as InitReport | InvocationFailure;
  }

  /** What was printed up to now, and read. */
  get printed(): PrintedLine[] {
    const lines = this.#printed.split('\n').slice(0, -1);
    return lines.map((line) => (line.startsWith('\x1e') ? (JSON.parse(line.slice(1)) as PrintedLine) : line));
  }

  /** The texts of all lines, once there are so many. */
  texts(count: number): Promise<string[]> {
    return this.textsOnce((texts) => texts.length >= count);
  }

  /** The texts of all lines, once they are as expected. */
  async textsOnce(expected: (texts: string[]) => boolean): Promise<string[]> {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const texts = this.printed.map((line) => (typeof line === 'string' ? line : line[3]));
      if (expected(texts)) return texts;
      if (performance.now() > deadline) throw new Error(`other lines were expected than ${JSON.stringify(texts.slice(-20))}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Stops reading what the runtime prints, as a relay does that was killed. */
  stopReading(): void {
    this.#output?.destroy();
  }

  read(): void {
    this.#output = new Socket({
      fd: openSync(join(this.#folder, 'o'), constants.O_RDONLY | constants.O_NONBLOCK),
      readable: true,
      writable: false,
    });
    this.#output.on('data', (chunk: Buffer) => (this.#printed += chunk.toString()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
    this.link.close();
    this.#output?.destroy();
    rmSync(this.#folder, { recursive: true });
  }
}
