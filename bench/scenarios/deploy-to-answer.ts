import { execFile } from 'node:child_process';
import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Scenario } from '../scenario.ts';
import { summarise } from '../statistics.ts';

const poolSize = 4;
const samples = 50;
const quickSamples = 5;
const repository = join(import.meta.dirname, '..', '..');
const command = join(repository, 'src', 'cli', 'main.ts');

/** What a developer waits for after a change: the command from its start to its end, then the first answer of the new version. */
export const deployToAnswer: Scenario = {
  name: 'deploy-to-answer',
  title: '`swiftlet deploy` of the hello example to its first answer',
  byDefault: true,
  async run({ quick, startPlatform, signal, progress }) {
    await using platform = await startPlatform({ poolSize });
    const folder = join(await mkdtemp(join(tmpdir(), 'swiftlet-bench-deploy-')), 'hello');
    const env = { ...process.env, SWIFTLET_HOME: platform.home, SWIFTLET_API_URL: platform.apiUrl, NO_COLOR: '1' };
    const wanted = quick ? quickSamples : samples;
    const times: number[] = [];
    try {
      await cp(join(repository, 'examples', 'hello'), folder, { recursive: true });
      for (let version = 1; version <= wanted; version++) {
        progress(`deploy ${version} of ${wanted}`);
        await appendFile(join(folder, 'index.ts'), `// Change ${version}.\n`);
        const startedAt = performance.now();
        await promisify(execFile)(process.execPath, [command, 'deploy', folder], { env, signal });
        const answer = (await (await fetch(`${platform.gatewayUrl}/hello/`, { signal })).json()) as { version: string };
        times.push(performance.now() - startedAt);
        if (answer.version !== String(version)) throw new Error(`version ${answer.version} answered after version ${version} was deployed`);
      }
    } finally {
      await rm(join(folder, '..'), { recursive: true, force: true });
    }
    const { p50, p99, count } = summarise(times);
    return {
      figures: [
        { what: 'p50', value: p50, unit: 'ms', samples: count },
        { what: 'p99', value: p99, unit: 'ms', samples: count, target: { atMost: 1000 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};
