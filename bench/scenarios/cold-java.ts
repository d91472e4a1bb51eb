import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packBundle } from '../../src/build/bundle.ts';
import { javaFolder } from '../../test/programs/java-functions.ts';
import { openConnection } from '../cold-starts.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { median, summarise } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';
import { isMade } from './program-languages.ts';

const poolSize = 4;
const config = { runtime: 'java', handler: 'shop.Orders', process: 'one-shot', memoryMiB: 512 } as const;
const order = { method: 'POST', body: '{"id":"1","count":2,"notes":["a"]}' };

/** First requests to a function with AWS's events and Jackson: from the archive of its classes, between such without one. */
export const coldJava: Scenario = {
  name: 'cold-java',
  title: 'a function in Java with Jackson and AWS’s events: its first answer, from an archive of its classes',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const starts = quick ? 10 : 60;
    const bundle = await shop();
    await using platform = await context.startPlatform({ poolSize });
    await platform.api.deploy('archived', bundle, config);
    await platform.api.deploy('as-it-is', bundle, { ...config, bundle: 'never' });
    await isMade(platform, 'archived', signal);
    const connection = await openConnection(platform);
    const first = async (name: string) => {
      await poolIsFull(platform, signal);
      const { status, headers, body, tookMs } = await timedRequest(`${platform.gatewayUrl}/${name}`, { agent: connection, ...order });
      if (status !== 201 || body !== order.body || headers['x-swiftlet-start'] !== 'cold')
        throw new Error(`${name} answered ${status}: ${body}`);
      return tookMs;
    };
    const [archived, asItIs]: [number[], number[]] = [[], []];
    // The first of each fills the file cache.
    for (let i = 0; i <= starts; i++) {
      if (i % 10 === 0) progress(`${i} of ${starts} starts`);
      const took = [await first('archived'), await first('as-it-is')] as const;
      if (i === 0) continue;
      archived.push(took[0]);
      asItIs.push(took[1]);
    }
    connection.destroy();
    const baseline = { name: 'the same without an archive', value: median(asItIs) };
    const { p50, p99, count } = summarise(archived);
    return {
      figures: [
        { what: 'p50', value: p50, unit: 'ms', samples: count, baseline, target: { atMost: 0.6 } },
        { what: 'p99', value: p99, unit: 'ms', samples: count },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};

/** Its classes and its libraries. */
async function shop() {
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-bench-function-'));
  try {
    const built = await javaFolder();
    for (const part of ['shop', 'lib']) await cp(join(built, part), join(folder, part), { recursive: true });
    return await packBundle(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
