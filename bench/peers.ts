/**
 * Other platforms, as processes on this machine, run as their users run them; what they log goes to a file, as Swiftlet's logs do. Their
 * packages are in bench/peers and are installed when they are first wanted.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import type { LoadTarget } from './baselines.ts';

const folder = join(import.meta.dirname, 'peers');
const startLimitMs = 60_000;
const quiet = { SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' };

/** Installs them as their lockfile says, once. */
export async function installPeers(): Promise<void> {
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return;
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
}

export async function startFunctionsFramework(): Promise<LoadTarget> {
  const port = await freePort();
  const script = 'node_modules/@google-cloud/functions-framework/build/src/main.js';
  const name = 'functions-framework';
  const child = start(name, [script, '--source', 'framework.cjs', '--target', 'hello', '--port', String(port)], { NODE_ENV: 'production' });
  return ready(name, child, `http://127.0.0.1:${port}/`);
}

export async function startServerlessOffline(): Promise<LoadTarget> {
  const [port, lambdaPort] = [await freePort(), await freePort()];
  const ports = ['--httpPort', String(port), '--lambdaPort', String(lambdaPort)];
  const name = 'serverless-offline';
  const child = start(name, ['node_modules/serverless/bin/serverless.js', 'offline', '--host', '127.0.0.1', ...ports], quiet);
  return ready(name, child, `http://127.0.0.1:${port}/hello`);
}

const logPath = (name: string): string => join(tmpdir(), `swiftlet-bench-${process.pid}-${name}.log`);

function start(name: string, command: readonly string[], environment: Readonly<Record<string, string>>): ChildProcess {
  const log = openSync(logPath(name), 'w');
  try {
    return spawn(process.execPath, command, { cwd: folder, env: { ...process.env, ...environment }, stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

async function ready(name: string, child: ChildProcess, url: string): Promise<LoadTarget> {
  const target = {
    name,
    url,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
      await rm(logPath(name), { force: true });
    },
  };
  const deadline = performance.now() + startLimitMs;
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await target[Symbol.asyncDispose]();
      throw new Error(`${name} does not answer at ${url}`);
    }
    await sleep(100);
  }
  return target;
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );
