/** A real NATS server with JetStream for a test, on a free port of the loopback; it goes with the test, and its data with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { goProgram } from './go-program.ts';

/** Debian 12 has one that cannot sync on every write. */
export const natsProgram = [new URL('nats-server', import.meta.url), 'github.com/nats-io/nats-server/v2'] as const;

export interface NatsOptions {
  /** Who may connect; anyone by default. */
  readonly user?: string;
  readonly password?: string;
  /** Bytes that JetStream may keep on the disk. */
  readonly maxStoreBytes?: number;
}

export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:<port>`, the same over restarts. */
  readonly url: string;
  /** Where JetStream keeps its files. */
  readonly storeFolder: string;
  /** Ends it by SIGKILL; its data stays. */
  kill(): Promise<void>;
  /** Starts it again, with the data and at the address that it had. */
  start(): Promise<void>;
}

const listening = /Listening for client connections on 127\.0\.0\.1:(\d+)/;
const ready = /Server is ready/;

/** Starts a server. It syncs the disk before it acknowledges a message to a stream. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const binary = await goProgram(...natsProgram);
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-nats-'));
  const storeFolder = join(folder, 'store');
  const configPath = join(folder, 'nats.conf');
  let port = -1;
  let child: ChildProcess | undefined;

  const start = async () => {
    writeFileSync(configPath, configOf(options, storeFolder, port));
    child = spawn(binary, ['--config', configPath], { stdio: ['ignore', 'ignore', 'pipe'] });
    port = await readyPort(child);
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    storeFolder,
    start,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @returns the port it serves @throws Error with what it said, when it ends before it is ready */
async function readyPort(child: ChildProcess): Promise<number> {
  if (child.stderr === null) throw new Error('the server has no standard error');
  const said: string[] = [];
  let port = 0;
  // What it says later is read on, so that it never waits for a reader.
  const lines = createInterface({ input: child.stderr });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    lines.once('close', () => reject(new Error(`the NATS server ended: ${said.join('\n')}`)));
    lines.on('line', (line) => {
      if (said.length < 100) said.push(line);
      port = Number(listening.exec(line)?.[1] ?? port);
      if (ready.test(line)) resolve();
    });
  });
  return port;
}

const configOf = ({ user, password, maxStoreBytes }: NatsOptions, storeFolder: string, port: number): string =>
  [
    `listen: "127.0.0.1:${port}"`,
    `jetstream { store_dir: ${JSON.stringify(storeFolder)}, sync_interval: always${maxStoreBytes === undefined ? '' : `, max_file_store: ${maxStoreBytes}`} }`,
    ...(user === undefined ? [] : [`authorization { user: ${JSON.stringify(user)}, password: ${JSON.stringify(password ?? '')} }`]),
    '',
  ].join('\n');
