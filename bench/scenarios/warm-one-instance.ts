import { startBareHttp } from '../baselines.ts';
import { packHello } from '../bench-functions.ts';
import { contest, standingOf } from '../contest.ts';
import type { Figure } from '../figure.ts';
import { installPeers, startFunctionsFramework, startServerlessOffline } from '../peers.ts';
import type { Scenario } from '../scenario.ts';

const poolSize = 4;
const connections = 32;
const leastRatios = { 'bare node:http': 0.35, 'functions-framework': 1.4, 'serverless-offline': 8 } as const;

/** How much one instance that takes many requests at once can carry, beside what others carry without a sandbox. */
export const warmOneInstance: Scenario = {
  name: 'warm-one-instance',
  title: 'warm, 32 connections, one instance with concurrency 100',
  byDefault: true,
  async run(context) {
    context.progress('installing the peers, if they are not');
    await installPeers();
    await using platform = await context.startPlatform({ poolSize });
    await using bare = await startBareHttp();
    await using framework = await startFunctionsFramework();
    await using offline = await startServerlessOffline();
    await platform.api.deploy('hello', await packHello(), { concurrency: 100, maximum: 1 });
    const swiftlet = { name: 'swiftlet', url: `${platform.gatewayUrl}/hello`, pid: platform.pid };
    const standings = await contest([bare, swiftlet, framework, offline], connections, context);
    const ours = standingOf(standings, swiftlet.name);
    const samples = ours.requests;
    const compared = Object.entries(leastRatios).map(([name, atLeast]): Figure => {
      const baseline = { name, value: standingOf(standings, name).requestsPerSecond };
      return { what: 'throughput', value: ours.requestsPerSecond, unit: 'requests/s', samples, baseline, target: { atLeast } };
    });
    return {
      figures: [
        ...compared,
        { what: 'processor time per request', value: ours.cpuUsPerRequest, unit: 'µs', samples },
        { what: 'errors', value: ours.errors, unit: 'count', samples, target: { atMost: 0 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};
