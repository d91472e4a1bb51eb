import { randomBytes } from 'node:crypto';
import aws4 from 'aws4';
import { packHello } from '../bench-functions.ts';
import { type Contender, contest, standingOf } from '../contest.ts';
import type { BenchPlatform } from '../platform.ts';
import type { Scenario } from '../scenario.ts';

const poolSize = 4;

/** What an invocation by Lambda's API costs beside one at the gateway's own door. */
export const signedInvoke: Scenario = {
  name: 'signed-invoke',
  title: 'warm, 1 connection, by Lambda’s API',
  byDefault: true,
  async run(context) {
    await using platform = await context.startPlatform({ poolSize });
    await platform.api.deploy('hello', await packHello());
    const { token } = await platform.api.createToken(`bench ${randomBytes(4).toString('hex')}`, 'invoker');
    const plain = {
      name: 'an event with a token',
      method: 'POST',
      url: `${platform.gatewayUrl}/_/invoke/hello`,
      headers: { authorization: `Bearer ${token}` },
    };
    const signed = await signedContender(platform);
    const standings = await contest([plain, signed], 1, context);
    const ours = standingOf(standings, signed.name);
    const baseline = { name: plain.name, value: standingOf(standings, plain.name).p50Ms * 1000 };
    const samples = ours.requests;
    return {
      figures: [
        { what: 'p50', value: ours.p50Ms * 1000, unit: 'µs', samples, baseline, target: { atMost: 2 } },
        { what: 'errors', value: ours.errors, unit: 'count', samples, target: { atMost: 0 } },
      ],
      isolation: platform.isolation,
      poolSize,
      notes: [],
    };
  },
};

/** One signature does for all of them: it is good for five minutes. */
async function signedContender({ api, lambdaUrl }: BenchPlatform): Promise<Contender> {
  const path = '/2015-03-31/functions/hello/invocations';
  const { headers = {} } = aws4.sign(
    { host: new URL(lambdaUrl).host, service: 'lambda', region: 'us-east-1', method: 'POST', path },
    await api.createKey('bench', 'invoker'),
  );
  const own = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'host');
  return {
    name: 'Lambda’s API',
    method: 'POST',
    url: lambdaUrl + path,
    headers: Object.fromEntries(own.map(([name, value]) => [name, String(value)])),
  };
}
