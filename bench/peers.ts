/** Other platforms, as processes on this machine. Their packages are in bench/peers and are installed when they are first wanted. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LoadTarget } from './baselines.ts';
import { freePort } from './platform.ts';

const folder = join(import.meta.dirname, 'peers');
const startLimitMs = 60_000;

/** Installs them as their lockfile says, once. */
export async function installPeers(): Promise<void> {
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return;
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
}

export async function startFunctionsFramework(): Promise<LoadTarget> {
  const port = await freePort();
  const script = 'node_modules/@google-cloud/functions-framework/build/src/main.js';
  const child = start([script, '--source', 'framework.cjs', '--target', 'hello', '--port', String(port)]);
  return ready('functions-framework', child, `http://127.0.0.1:${port}/`);
}

export async function startServerlessOffline(): Promise<LoadTarget> {
  const [port, lambdaPort] = [await freePort(), await freePort()];
  const ports = ['--httpPort', String(port), '--lambdaPort', String(lambdaPort)];
  const child = start(['node_modules/serverless/bin/serverless.js', 'offline', '--host', '127.0.0.1', ...ports]);
  return ready('serverless-offline', child, `http://127.0.0.1:${port}/hello`);
}

function start(command: readonly string[]): ChildProcess {
  const quiet = { SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off', NODE_ENV: 'production' };
  return spawn(process.execPath, command, { cwd: folder, env: { ...process.env, ...quiet }, stdio: 'ignore' });
}

async function ready(name: string, child: ChildProcess, url: string): Promise<LoadTarget> {
  const target = {
    name,
    url,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
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
