import { startBareHttp } from '../baselines.ts';
import { packHello } from '../bench-functions.ts';
import { contest, standingOf } from '../contest.ts';
import type { Scenario } from '../scenario.ts';

const poolSize = 4;

/** What the platform adds to a request when nothing else goes on. */
export const warmOneConnection: Scenario = {
  name: 'warm-one-connection',
  title: 'warm, 1 connection',
  byDefault: true,
  async run(context) {
    await using platform = await context.startPlatform({ poolSize });
    await using bare = await startBareHttp();
    await platform.api.deploy('hello', await packHello());
    const swiftlet = { name: 'swiftlet', url: `${platform.gatewayUrl}/hello`, pid: platform.pid };
    const standings = await contest([bare, swiftlet], 1, context);
    const ours = standingOf(standings, swiftlet.name);
    const baseline = { name: bare.name, value: standingOf(standings, bare.name).p50Ms * 1000 };
    const samples = ours.requests;
    return {
      figures: [
        { what: 'p50', value: ours.p50Ms * 1000, unit: 'µs', samples, baseline, target: { atMost: 3 } },
        { what: 'processor time per request', value: ours.cpuUsPerRequest, unit: 'µs', samples },
        { what: 'errors', value: ours.errors, unit: 'count', samples, target: { atMost: 0 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};
