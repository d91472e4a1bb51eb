import { setTimeout as sleep } from 'node:timers/promises';
import { packSlowHello } from '../bench-functions.ts';
import type { BenchPlatform } from '../platform.ts';
import { pssOf, sandboxTree } from '../processes.ts';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 4;
const instances = 20;
const busyMs = 300;
const restMs = 3_000;
const bytesPerMiB = 2 ** 20;

/** Instances that have served a request each and wait for the next: everything in their sandboxes, shared pages by the share. */
export const idleMemory: Scenario = {
  name: 'idle-memory',
  title: 'idle instance, memory (PSS)',
  byDefault: true,
  async run(context) {
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: instances + 4 * poolSize });
    await platform.api.deploy('hello', await packSlowHello(busyMs), { concurrency: 1, maximum: instances });
    await serveAtOnce(platform);
    await sleep(restMs, undefined, { signal: context.signal });
    const found = await platform.api.instances('hello');
    const memory = summarise(found.map(({ pid }) => pssOf(sandboxTree(pid)) / bytesPerMiB));
    return {
      figures: [
        { what: 'p50', value: memory.p50, unit: 'MiB', samples: memory.count, target: { atMost: 12 } },
        { what: 'max', value: memory.max, unit: 'MiB', samples: memory.count },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [`${found.length} instances beside ${poolSize} warm sandboxes; the Node.js binary’s pages are shared by all of them`],
    };
  },
};

async function serveAtOnce(platform: BenchPlatform): Promise<void> {
  const answers = await Promise.all(Array.from({ length: instances }, () => timedRequest(`${platform.gatewayUrl}/hello`)));
  const wrong = answers.find(({ status }) => status !== 200);
  if (wrong !== undefined) throw new Error(`an answer was ${wrong.status}: ${wrong.body}`);
}
