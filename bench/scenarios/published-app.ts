import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packBundle } from '../../src/build/bundle.ts';
import { openConnection } from '../cold-starts.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { median, summarise } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 4;
const folder = join(import.meta.dirname, '..', 'published-app');
const answer = JSON.stringify({ total: 7, names: ['tea', 'cake'] });
/** A sandbox of this class, for all of these functions. */
const config = { handler: 'function.handler', process: 'one-shot', memoryMiB: 256 } as const;

/** First requests to an Express app that was published, as one file with V8's cache of it, between starts of the same app by `node index.js`. */
export const publishedApp: Scenario = {
  name: 'published-app',
  title: 'an app with Express, Zod and lodash: its first answer',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const starts = quick ? 15 : 100;
    await install();
    const bundle = await packBundle(folder);
    await using platform = await context.startPlatform({ poolSize });
    await platform.api.deploy('published', bundle, config);
    await platform.api.deploy('as-it-is', bundle, { ...config, bundle: 'never' });
    const connection = await openConnection(platform);
    const first = async (name: string) => {
      await poolIsFull(platform, signal);
      const { status, headers, body, tookMs } = await timedRequest(`${platform.gatewayUrl}/${name}`, { agent: connection });
      if (status !== 200 || body !== answer || headers['x-swiftlet-start'] !== 'cold')
        throw new Error(`${name} answered ${status}: ${body}`);
      return tookMs;
    };
    const [published, plain, asItIs]: [number[], number[], number[]] = [[], [], []];
    // The first of each fills the file cache.
    for (let i = 0; i <= starts; i++) {
      if (i % 10 === 0) progress(`${i} of ${starts} starts`);
      const took = [await first('published'), await plainStart(), await first('as-it-is')] as const;
      if (i === 0) continue;
      for (const [samples, ms] of [
        [published, took[0]],
        [plain, took[1]],
        [asItIs, took[2]],
      ] as const)
        samples.push(ms);
    }
    connection.destroy();
    const baseline = { name: 'node index.js', value: median(plain) };
    const { p50, p99, count } = summarise(published);
    return {
      figures: [
        { what: 'p50', value: p50, unit: 'ms', samples: count, baseline, target: { atMost: 0.5 } },
        { what: 'p99', value: p99, unit: 'ms', samples: count },
        { what: 'p50, not bundled', value: median(asItIs), unit: 'ms', samples: count, baseline },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};

async function install(): Promise<void> {
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return;
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
}

/** @returns milliseconds from spawn to the last byte of its first answer */
async function plainStart(): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['index.js'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { NODE_ENV: 'production' },
  });
  try {
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const { body } = await timedRequest(`http://127.0.0.1:${port.toString()}/`);
    const tookMs = performance.now() - startedAt;
    if (body !== answer) throw new Error(`node index.js answered ${body}`);
    return tookMs;
  } finally {
    if (child.kill('SIGKILL')) await once(child, 'exit');
  }
}
