import { randomBytes } from 'node:crypto';
import { packHello } from '../bench-functions.ts';
import { contest, standingOf } from '../contest.ts';
import type { Scenario } from '../scenario.ts';

const poolSize = 4;

/** What it adds to a request that its caller's rights are looked at. */
export const authorisation: Scenario = {
  name: 'authorisation',
  title: 'warm, 1 connection, with a token',
  byDefault: true,
  async run(context) {
    await using platform = await context.startPlatform({ poolSize });
    const bundle = await packHello();
    await platform.api.deploy('open', bundle, { url: 'public' });
    await platform.api.deploy('closed', bundle, { url: 'token' });
    const { token } = await platform.api.createToken(`bench ${randomBytes(4).toString('hex')}`, 'invoker');
    const open = { name: 'a public function', url: `${platform.gatewayUrl}/open` };
    const closed = { name: 'one that needs a token', url: `${platform.gatewayUrl}/closed`, headers: { authorization: `Bearer ${token}` } };
    const standings = await contest([open, closed], 1, context);
    const ours = standingOf(standings, closed.name);
    const baseline = { name: open.name, value: standingOf(standings, open.name).p50Ms * 1000 };
    const samples = ours.requests;
    return {
      figures: [
        { what: 'p50', value: ours.p50Ms * 1000, unit: 'µs', samples, baseline, target: { atMost: 1.05 } },
        { what: 'errors', value: ours.errors, unit: 'count', samples, target: { atMost: 0 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};
