import { startBareHttp } from '../baselines.ts';
import { packHello } from '../bench-functions.ts';
import { contest, standingOf } from '../contest.ts';
import type { Scenario } from '../scenario.ts';

const poolSize = 4;
const connections = 32;
/** Each instance gets a thirty-second part of the requests, and V8 compiles what runs often. */
const warmUpFactor = 8;

/** The default way to run: an instance takes one request at a time, so each connection keeps one busy. */
export const warmManyInstances: Scenario = {
  name: 'warm-many-instances',
  title: 'warm, 32 connections, 32 instances with concurrency 1',
  byDefault: true,
  async run(context) {
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: connections + 4 * poolSize });
    await using bare = await startBareHttp();
    await platform.api.deploy('hello', await packHello(), { concurrency: 1, minimum: connections, maximum: connections });
    const swiftlet = { name: 'swiftlet', url: `${platform.gatewayUrl}/hello`, pid: platform.pid };
    const standings = await contest([bare, swiftlet], connections, context, warmUpFactor);
    const ours = standingOf(standings, swiftlet.name);
    const baseline = { name: bare.name, value: standingOf(standings, bare.name).requestsPerSecond };
    const samples = ours.requests;
    const { length: instances } = await platform.api.instances('hello');
    return {
      figures: [
        { what: 'throughput', value: ours.requestsPerSecond, unit: 'requests/s', samples, baseline, target: { atLeast: 0.15 } },
        { what: 'processor time per request', value: ours.cpuUsPerRequest, unit: 'µs', samples },
        { what: 'errors', value: ours.errors, unit: 'count', samples, target: { atMost: 0 } },
        { what: 'instances', value: instances, unit: 'count', samples: 1, target: { atLeast: connections } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};
