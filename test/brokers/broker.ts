/** A real server that a test starts: on loopback, in a folder of its own, as a user without rights, and no longer than the test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const readyLimitMs = 60_000;
const keptOutput = 4_000;
/** Of no rights, on every Debian. Who is not root stays who they are. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
/** The server ends with the test's process, however that ends. */
const leash = [
  '--no-new-privs',
  '--pdeathsig=KILL',
  ...(nobody === undefined ? [] : [`--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, '--clear-groups']),
];

/** Of the user that a server is made with. */
export const brokerPassword = 'right';

export interface BrokerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The network namespace that it is in, by its name; absent: this process’s own. */
  readonly namespace?: string;
  /** What it prints, on either stream, when it can be used. */
  readonly ready: RegExp;
  /** It prints that before anybody can connect. */
  readonly listensLater?: true;
}

/** A folder that the server may write to; whoever makes it removes it. */
export function brokerFolder(kind: string): string {
  const folder = mkdtempSync(join(tmpdir(), `swiftlet-${kind}-`));
  giveTo(folder);
  return folder;
}

/** Makes the server the owner of a folder, and of what is in it. */
export function giveTo(folder: string): void {
  if (nobody === undefined) return;
  for (const path of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
    chownSync(join(folder, path), nobody.uid, nobody.gid);
}

export class Broker implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly #command: BrokerCommand;
  #child: ChildProcess | undefined;
  #owned: AsyncDisposable | undefined;

  constructor(port: number, folder: string, command: BrokerCommand) {
    this.port = port;
    this.folder = folder;
    this.#command = command;
  }

  /** Starts it, or starts it again on the same data and port. Resolves when it is ready. @throws Error with what it printed */
  async start(): Promise<void> {
    const { command, args, environment, namespace, ready, listensLater } = this.#command;
    const leashed = ['setpriv', ...leash, '--', command, ...args];
    const [program = '', ...rest] = namespace === undefined ? leashed : ['ip', 'netns', 'exec', namespace, ...leashed];
    const child = spawn(program, rest, {
      cwd: this.folder,
      env: environmentIn(this.folder, environment),
      // A group of its own, so that nothing of it is left when it is killed.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let output = '';
    const isReady = Promise.withResolvers<undefined>();
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-keptOutput);
        if (ready.test(output)) isReady.resolve(undefined);
      });
    child.once('error', isReady.reject);
    child.once('exit', () => isReady.reject(new Error(`${command} ended before it was ready: ${output}`)));
    const limit = setTimeout(() => isReady.reject(new Error(`${command} is not ready after ${readyLimitMs} ms: ${output}`)), readyLimitMs);
    try {
      await isReady.promise;
      if (listensLater === true) await canBeConnected(this.port);
    } catch (error) {
      await this.kill();
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Without a chance to write anything more. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined) return;
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'close') : undefined;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It had ended.
    }
    await gone;
  }

  /** Something that it needs, and that goes with it. */
  owns(owned: AsyncDisposable): this {
    this.#owned = owned;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#owned?.[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs one of the server's tools to its end. @throws Error with what it printed when it fails */
export async function runTool(
  folder: string,
  command: string,
  args: readonly string[],
  environment?: Record<string, string>,
): Promise<string> {
  const { stdout } = await promisify(execFile)('setpriv', [...leash, '--', command, ...args], {
    cwd: folder,
    env: environmentIn(folder, environment),
  });
  return stdout;
}

const environmentIn = (folder: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  HOME: folder,
  LANG: 'C.UTF-8',
  ...more,
});

async function canBeConnected(port: number): Promise<void> {
  for (const until = performance.now() + readyLimitMs; ; ) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await pause(10);
    } finally {
      socket.destroy();
    }
  }
}
