/** A platform of the bench’s own: a fresh home, free ports, started and stopped as a user would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { ControlApi } from './control-api.ts';
import { type Isolation, isolationIn } from './isolation.ts';

export interface PlatformOptions {
  readonly poolSize: number;
  /** Sandboxes on the host, pooled and running together. */
  readonly maxSandboxes?: number;
  /** What a user would give as `--isolation`. */
  readonly isolation?: string;
  /** Whose platform it is; this process's own user's when nobody is named. */
  readonly user?: PlatformUser;
  /** More of the platform's variables. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Another user that a platform is started by. */
export interface PlatformUser {
  /** Lets the user have a folder that this process made. */
  own(folder: string): void;
  /** A command that runs as this user, with the checkout where the user can read it. */
  command(argument: readonly string[]): readonly string[];
}

export interface BenchPlatform extends AsyncDisposable {
  readonly gatewayUrl: string;
  readonly apiUrl: string;
  /** Where Lambda's API is. */
  readonly lambdaUrl: string;
  readonly token: string;
  /** Its data folder, removed when it is disposed of. */
  readonly home: string;
  /** What it prints, in a file. */
  readonly logPath: string;
  readonly api: ControlApi;
  readonly poolSize: number;
  readonly isolation: Isolation;
  /** The supervisor; the roles are its children, the sandboxes theirs. */
  readonly pid: number;
}

const cli = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const startLimitMs = 180_000;
const lookLimitMs = 2_000;
const stopLimitMs = 20_000;

/** @throws Error with the end of the platform’s log when it does not start */
export async function startPlatform({
  poolSize,
  maxSandboxes,
  isolation,
  user,
  environment,
  signal,
}: PlatformOptions): Promise<BenchPlatform> {
  const home = await mkdtemp(join(tmpdir(), 'swiftlet-bench-'));
  user?.own(home);
  const [gatewayPort, apiPort, lambdaPort] = [await freePort(), await freePort(), await freePort()];
  const logPath = join(home, 'bench.log');
  const command = [process.execPath, cli, 'up'];
  const child = spawnPlatform(logPath, user?.command(command) ?? command, {
    SWIFTLET_HOME: home,
    SWIFTLET_GATEWAY_PORT: String(gatewayPort),
    SWIFTLET_API_PORT: String(apiPort),
    SWIFTLET_LAMBDA_PORT: String(lambdaPort),
    SWIFTLET_POOL_SIZE: String(poolSize),
    // What is measured, or counted, does not depend on what was before.
    SWIFTLET_POOL_MAXIMUM: String(poolSize),
    ...(isolation === undefined ? {} : { SWIFTLET_ISOLATION: isolation }),
    ...(maxSandboxes === undefined ? {} : { SWIFTLET_MAX_SANDBOXES: String(maxSandboxes) }),
    ...environment,
  });
  const dispose = async () => {
    await stop(child);
    await rm(home, { recursive: true, force: true });
  };
  try {
    const apiUrl = `http://127.0.0.1:${apiPort}`;
    await healthy(apiUrl, child, signal);
    const token = (await readFile(join(home, 'token'), 'utf8')).trim();
    const api = new ControlApi(apiUrl, token);
    const inForce = isolationIn(await api.platform());
    const gatewayUrl = `http://127.0.0.1:${gatewayPort}`;
    return {
      gatewayUrl,
      apiUrl,
      lambdaUrl: `http://127.0.0.1:${lambdaPort}`,
      token,
      home,
      logPath,
      api,
      poolSize,
      isolation: inForce,
      pid: child.pid ?? 0,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    const log = await readFile(logPath, 'utf8').catch(() => '');
    await dispose();
    throw new Error(`the platform did not start; the end of its log:\n${log.slice(-4_000)}`, { cause: error });
  }
}

function spawnPlatform(logPath: string, [program = '', ...argument]: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const log = openSync(logPath, 'w');
  const child = spawn(program, argument, {
    env: { ...process.env, ...environment, NO_COLOR: '1' },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function healthy(apiUrl: string, child: ChildProcess, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + startLimitMs;
  for (;;) {
    signal?.throwIfAborted();
    if (hasEnded(child)) throw new Error(`it ended with ${String(child.exitCode ?? child.signalCode)}`);
    const status = await fetch(`${apiUrl}/healthz`, { signal: AbortSignal.timeout(lookLimitMs) }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (performance.now() > deadline) throw new Error(`GET /healthz is ${status} after ${startLimitMs / 1000} s`);
    await sleep(50);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  const forced = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await exited;
  clearTimeout(forced);
}
