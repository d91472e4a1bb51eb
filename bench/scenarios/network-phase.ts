import { setTimeout as sleep } from 'node:timers/promises';
import { type ColdStart, coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import { poolIsFull } from '../pool.ts';
import type { Scenario } from '../scenario.ts';
import { median, summarise } from '../statistics.ts';

const poolSize = 8;
const batch = 25;
const afterRemovalMs = 500;
/** As a function that talks to a few services has it. */
const lists = { allow: ['api.example.com:443', '*.payments.example:443', '203.0.113.0/24:5432'], deny: ['203.0.113.7'] };

/** First requests of functions with a way out, beside first requests of functions without one; each from a pool that was seen to be full. */
export const networkPhase: Scenario = {
  name: 'network-phase',
  title: 'a way out, opened in a cold start',
  byDefault: true,
  async run(context) {
    const { quick, signal, progress } = context;
    const starts = quick ? 50 : 300;
    await using platform = await context.startPlatform({ poolSize, maxSandboxes: 2 * poolSize + 4 * batch });
    const connection = await openConnection(platform);
    const [open, none]: [ColdStart[], ColdStart[]] = [[], []];
    for (let first = 1; first <= starts; first += batch) {
      progress(`${first - 1} of ${starts} pairs`);
      const withWay = await deployUnique(platform, first, batch, { network: lists });
      const without = await deployUnique(platform, starts + first, batch, { network: 'none' });
      for (const [index, one] of withWay.entries()) {
        await poolIsFull(platform, signal);
        open.push(await coldRequest(platform, one, connection));
        const other = without[index];
        if (other === undefined) continue;
        await poolIsFull(platform, signal);
        none.push(await coldRequest(platform, other, connection));
      }
      await removeAll(platform, [...withWay, ...without]);
      await sleep(afterRemovalMs, undefined, { signal });
    }
    connection.destroy();
    const phase = summarise(open.map(({ timing }) => timing.get('network') ?? Number.NaN));
    const baseline = { name: 'cold start with "network: none"', value: median(none.map(({ tookMs }) => tookMs)) };
    return {
      figures: [
        { what: 'network phase, p50', value: phase.p50, unit: 'ms', samples: phase.count, target: { atMost: 0.5 } },
        { what: 'network phase, p99', value: phase.p99, unit: 'ms', samples: phase.count },
        { what: 'whole start, p50', value: median(open.map(({ tookMs }) => tookMs)), unit: 'ms', samples: open.length, baseline },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};
