import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packBundle, type PackedBundle } from '../../src/build/bundle.ts';
import { openConnection } from '../cold-starts.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { median, summarise } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 4;
const folder = join(import.meta.dirname, '..', 'pool-app');
const library = '@aws-sdk/client-s3';
const answer = JSON.stringify({ command: 'mine', client: 'function' });
/** A sandbox of this class, for all of these functions. */
const config = { handler: 'index.handler', process: 'one-shot', memoryMiB: 256 } as const;

/** First requests to a function that imports a heavy library, which its custom pool has imported, between those of the same function without the pool. */
export const customPool: Scenario = {
  name: 'custom-pool',
  title: 'a function with the AWS SDK for S3 from a custom pool',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const starts = quick ? 15 : 100;
    await install();
    await using platform = await context.startPlatform({ poolSize });
    const { api } = platform;
    const layer = await api.publishLayer('aws', await packed({ 'nodejs/node_modules': 'node_modules' }));
    await api.createPool('aws', { layers: [layer], preload: [library], memoryMiB: config.memoryMiB, minimum: poolSize, maximum: poolSize });
    const alone = await packed({ 'index.cjs': 'index.cjs' });
    await api.deploy('pooled', alone, { ...config, pool: 'aws' });
    await api.deploy('layered', alone, { ...config, layers: [layer] });
    await api.deploy('bundled', await packed({ 'index.cjs': 'index.cjs', node_modules: 'node_modules' }), config);
    const connection = await openConnection(platform);
    const first = async (name: string) => {
      await poolIsFull(platform, signal);
      const { status, headers, body, tookMs } = await timedRequest(`${platform.gatewayUrl}/${name}`, { agent: connection });
      if (status !== 200 || body !== answer || headers['x-swiftlet-start'] !== 'cold')
        throw new Error(`${name} answered ${status}: ${body}`);
      return tookMs;
    };
    const taken: Record<'pooled' | 'layered' | 'bundled', number[]> = { pooled: [], layered: [], bundled: [] };
    // The first of each fills the file cache.
    for (let i = 0; i <= starts; i++) {
      if (i % 10 === 0) progress(`${i} of ${starts} starts`);
      for (const name of ['pooled', 'layered', 'bundled'] as const) {
        const tookMs = await first(name);
        if (i > 0) taken[name].push(tookMs);
      }
    }
    connection.destroy();
    const { p50, p99, count } = summarise(taken.pooled);
    const baseline = { name: 'in one file, without the pool', value: median(taken.bundled) };
    return {
      figures: [
        { what: 'p50', value: p50, unit: 'ms', samples: count, baseline, target: { atMost: 0.5 } },
        { what: 'p99', value: p99, unit: 'ms', samples: count },
        { what: 'p50, from a layer, without the pool', value: median(taken.layered), unit: 'ms', samples: count, baseline },
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

/** @param files places in the bundle, with what of the app is to be there */
async function packed(files: Readonly<Record<string, string>>): Promise<PackedBundle> {
  const staging = await mkdtemp(join(tmpdir(), 'swiftlet-bench-pool-'));
  try {
    for (const [to, from] of Object.entries(files)) await cp(join(folder, from), join(staging, to), { recursive: true });
    return await packBundle(staging);
  } finally {
    await rm(staging, { recursive: true });
  }
}
