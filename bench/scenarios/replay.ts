import { functionConfigSchema } from '../../src/model/function.ts';
import type { Outcome } from '../../src/simulate/outcome.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { packModule } from '../bench-functions.ts';
import type { Figure } from '../figure.ts';
import { type Replayed, replay as replayOn } from '../replayer.ts';
import type { Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';
import { sampleTrace } from '../trace-sample.ts';

const poolSize = 20;
const maxSandboxes = 600;
const thawMs = 1;
const secondMs = 1_000;
const folderVariable = 'SWIFTLET_TRACE';

const source = `export const handler = (event) =>
  new Promise((resolve) => setTimeout(resolve, Number(event.headers['x-duration-ms']), 'x'));\n`;

/** Recorded traffic on the real platform, beside what the simulator makes of the very same requests. */
export const replay: Scenario = {
  name: 'replay',
  title: 'ten minutes of recorded traffic, beside its simulation',
  byDefault: false,
  async run({ quick, startPlatform, signal, progress }) {
    const folder = process.env[folderVariable];
    if (folder === undefined)
      throw new Error(`${folderVariable} names no folder; it has invocations.csv and durations.csv of the Azure Functions trace of 2019`);
    const sample = quick ? sampleTrace(folder, 1, 10) : sampleTrace(folder, 10, 5);
    await using platform = await startPlatform({ poolSize, maxSandboxes });
    const bundle = await packModule(source);
    const nameOf = (at: number) => `replayed-${at}`;
    progress(`deploying ${sample.functions.length} functions`);
    for (const at of sample.functions.keys()) await platform.api.deploy(nameOf(at), bundle);
    const seen = await replayOn(sample, platform, (at) => `${platform.gatewayUrl}/${nameOf(at)}/`, { signal, progress });
    const coldMs = seen.coldMs.toSorted((a, b) => a - b);
    const starts = { p50Ms: percentile(coldMs, 50), p95Ms: percentile(coldMs, 95), thawMs };
    const policy = { name: 'default', isScaled: true, config: functionConfigSchema.parse({}) };
    const simulated = simulate(sample, policy, { starts, spread: 'random', seed: '1' });
    return {
      figures: figuresOf(seen, simulated),
      isolation: platform.isolation,
      poolSize,
      notes: [
        `${sample.functions.length} functions, ${seen.requests} requests; starts took ${starts.p50Ms.toFixed(1)} ms (p50), ${starts.p95Ms.toFixed(1)} ms (p95)`,
        ...seen.failures.slice(0, 3),
      ],
    };
  },
};

function figuresOf({ requests: samples, coldMs, thawed, instanceMs, usedMs, failures }: Replayed, simulated: Outcome): Figure[] {
  const beside = (what: string, value: number, told: number): Figure => ({
    what,
    value,
    unit: 'count',
    samples,
    baseline: { name: 'simulated', value: told },
  });
  return [
    beside('requests that waited for a cold start', coldMs.length, simulated.cold),
    beside('requests that found a frozen instance', thawed, simulated.thawed),
    beside('instance-seconds', instanceMs / secondMs, simulated.instanceMs / secondMs),
    beside('instance-seconds without a request', (instanceMs - usedMs) / secondMs, (simulated.instanceMs - simulated.usedMs) / secondMs),
    { what: 'failed requests', value: failures.length, unit: 'count', samples, target: { atMost: 0 } },
  ];
}
