import { startBareHttp } from '../baselines.ts';
import { pythonLanguage } from '../benched-language.ts';
import { bareNote } from '../cold-figures.ts';
import { contest, standingOf } from '../contest.ts';
import type { Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';

const poolSize = 4;
const bareStartsCount = 20;

/** What a request costs a function in Python that runs, beside what it would cost to start the interpreter for it. */
export const warmPython: Scenario = {
  name: 'warm-python',
  title: 'warm in Python, 1 connection',
  byDefault: true,
  async run(context) {
    const { config, pack, bare, bareName } = pythonLanguage;
    await using platform = await context.startPlatform({ poolSize });
    await using http = await startBareHttp();
    await platform.api.deploy('hello', await pack(1), config);
    const bareMs: number[] = [];
    while (bareMs.length < bareStartsCount) bareMs.push(await bare());
    const swiftlet = { name: 'swiftlet', url: `${platform.gatewayUrl}/hello`, pid: platform.pid };
    const standings = await contest([http, swiftlet], 1, context);
    const { p50Ms, cpuUsPerRequest, errors, requests: samples } = standingOf(standings, swiftlet.name);
    const started = { name: bareName, value: median(bareMs) * 1000 };
    const served = { name: http.name, value: standingOf(standings, http.name).p50Ms * 1000 };
    return {
      figures: [
        { what: 'p50', value: p50Ms * 1000, unit: 'µs', samples, baseline: started, target: { atMost: 0.1 } },
        { what: 'p50 against bare node:http', value: p50Ms * 1000, unit: 'µs', samples, baseline: served },
        { what: 'processor time per request', value: cpuUsPerRequest, unit: 'µs', samples },
        { what: 'errors', value: errors, unit: 'count', samples, target: { atMost: 0 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [bareNote(bareMs, bareName)],
    };
  },
};
