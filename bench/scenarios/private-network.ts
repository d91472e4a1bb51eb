import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Links, loopback } from '../../src/agent/linux/links.ts';
import { closeFd } from '../../src/agent/linux/libc.ts';
import { NetworkNamespaces } from '../../src/agent/linux/network-namespace.ts';
import { RouterVxlan } from '../../src/agent/network/private/vxlan.ts';
import { packModule } from '../bench-functions.ts';
import { type ColdStart, coldRequest, deployUnique, openConnection, removeAll } from '../cold-starts.ts';
import type { Figure } from '../figure.ts';
import type { BenchPlatform } from '../platform.ts';
import { poolIsFull } from '../pool.ts';
import { directRange, openPrivateHosts, privateRange, serverAddress, serverPort } from '../private-hosts.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';
import { timedRequest } from '../timed-request.ts';

const poolSize = 8;
const batch = 25;
const afterRemovalMs = 500;
const network = { private: ['office'] };
const roundTrips = 2_000;
/** What a sandbox may have at once, after a second's rest: its bandwidth's limit does not hide what tunnel and proxy cost. */
const loadBytes = 16 * 1024 * 1024;
const restMs = 1_500;

/** Over one connection: so many round trips of a short line, and then one long answer. */
const talker = `import net from 'node:net';
export const handler = ({ queryStringParameters: { host } }) => new Promise((resolve, reject) => {
  const socket = net.connect({ host, port: ${serverPort}, noDelay: true }); const tookUs = []; let began; let got = 0;
  const ask = () => { began = performance.now(); socket.write('ping\\n'); };
  socket.on('error', reject); socket.once('connect', ask);
  socket.on('data', (bytes) => {
    if (tookUs.length < ${roundTrips}) { tookUs.push((performance.now() - began) * 1000); if (tookUs.length < ${roundTrips}) ask(); else { began = performance.now(); socket.write('load ${loadBytes}\\n'); } return; }
    got += bytes.length;
    if (got >= ${loadBytes}) { const loadMs = performance.now() - began; socket.destroy(); tookUs.sort((a, b) => a - b); resolve({ p50Us: tookUs[Math.floor(tookUs.length / 2)], loadMs }); }
  });
});
`;
const talkSchema = z.object({ p50Us: z.number(), loadMs: z.number() });
type Talk = z.output<typeof talkSchema>;

/** What a private network costs: its traffic beside the same without tunnel and proxy, cold starts of functions that have one beside those that have none. */
export const privateNetwork: Scenario = {
  name: 'private-network',
  title: 'a private network, through a tunnel and a proxy',
  byDefault: true,
  async run(context) {
    await using hosts = await openPrivateHosts();
    await using platform = await context.startPlatform({
      poolSize,
      maxSandboxes: 2 * poolSize + 4 * batch,
      environment: { SWIFTLET_EGRESS_ALLOW: directRange },
    });
    const tunnels = await platform.api.createNetwork('office', { ranges: [privateRange], proxies: hosts.proxies });
    await hosts.startProxies(tunnels);
    const figures = [...(await traffic(platform, context)), ...(await coldStarts(platform, context))];
    return {
      figures,
      isolation: platform.isolation,
      poolSize,
      notes: ['throughput is of 16 MiB at once; in the long run one sandbox has 25 MiB a second at most, with a tunnel and without'],
    };
  },
};

async function traffic(platform: BenchPlatform, { quick, signal, progress }: BenchContext): Promise<Figure[]> {
  await platform.api.deploy('talker', await packModule(talker), { network, memoryMiB: 256, timeoutMs: 60_000 });
  await sleep(1_000, undefined, { signal });
  const [through, direct]: [Talk[], Talk[]] = [[], []];
  const rounds = quick ? 2 : 7;
  for (let round = 0; round < rounds; round++) {
    progress(`traffic, ${round} of ${rounds}`);
    await sleep(restMs, undefined, { signal });
    direct.push(await talk(platform, serverAddress.direct));
    await sleep(restMs, undefined, { signal });
    through.push(await talk(platform, serverAddress.inNetwork));
  }
  const p50 = (talks: readonly Talk[]) => median(talks.map(({ p50Us }) => p50Us));
  const rate = (talks: readonly Talk[]) => median(talks.map(({ loadMs }) => loadBytes / 1024 / 1024 / (loadMs / 1_000)));
  const without = 'without tunnel and proxy';
  return [
    compared('round trip, p50', 'µs', rounds, [p50(through), p50(direct)], without, { atMost: 1.5 }),
    compared('MiB in a second, one connection', 'MiB', rounds, [rate(through), rate(direct)], without, { atLeast: 0.6 }),
  ];
}

/** A figure beside the same without what is measured. */
const compared = (
  what: string,
  unit: Figure['unit'],
  samples: number,
  [value, before]: readonly [number, number],
  name: string,
  target: Figure['target'] & object,
): Figure => ({ what, value, unit, samples, baseline: { name, value: before }, target });

async function talk(platform: BenchPlatform, host: string): Promise<Talk> {
  const { status, body } = await timedRequest(`${platform.gatewayUrl}/talker?host=${host}`);
  if (status !== 200) throw new Error(`the talker answered ${status}: ${body}`);
  return talkSchema.parse(JSON.parse(body));
}

async function coldStarts(platform: BenchPlatform, { quick, signal, progress }: BenchContext): Promise<Figure[]> {
  const starts = quick ? 50 : 300;
  const connection = await openConnection(platform);
  const [bound, unbound]: [ColdStart[], ColdStart[]] = [[], []];
  const madeMs: number[] = [];
  using interfaces = new Interfaces();
  for (let first = 1; first <= starts; first += batch) {
    progress(`cold starts, ${first - 1} of ${starts} pairs`);
    const withNetwork = await deployUnique(platform, first, batch, { network });
    const without = await deployUnique(platform, starts + first, batch, { network: 'internet' });
    for (const [index, one] of withNetwork.entries()) {
      const other = without[index];
      if (other === undefined) continue;
      const pair = [
        { name: one, starts: bound },
        { name: other, starts: unbound },
      ];
      // By turns: neither always comes after the other.
      for (const { name, starts } of index % 2 === 0 ? pair : pair.toReversed()) {
        await poolIsFull(platform, signal);
        starts.push(await coldRequest(platform, name, connection));
      }
      madeMs.push(interfaces.make());
    }
    await removeAll(platform, [...withNetwork, ...without]);
    await sleep(afterRemovalMs, undefined, { signal });
  }
  connection.destroy();
  const took = (all: readonly ColdStart[]) => median(all.map(({ tookMs }) => tookMs));
  const phase = (all: readonly ColdStart[]) => median(all.map(({ timing }) => timing.get('network') ?? Number.NaN));
  const inStart = 'making an interface with its routes in the start';
  return [
    compared('cold start, p50', 'ms', bound.length, [took(bound), took(unbound)], 'without a private network', { atMost: 1.05 }),
    compared('network phase, p50', 'ms', bound.length, [phase(bound), median(madeMs)], inStart, { atMost: 0.1 }),
  ];
}

/** The old way: an interface of its own for each start, which would have to be made before the function can connect. */
class Interfaces implements Disposable {
  readonly #namespaces = new NetworkNamespaces();
  readonly #fd: number;
  readonly #kind: RouterVxlan;

  constructor() {
    this.#fd = this.#namespaces.create(() => {
      using own = new Links();
      own.raise(loopback);
    });
    this.#kind = new RouterVxlan(this.#namespaces, this.#fd, 'none');
  }

  /** @returns how long it took to make one, in milliseconds; it is gone afterwards */
  make(): number {
    const id = 2;
    const began = performance.now();
    this.#kind.make({ id, address: serverAddress.direct }, [privateRange]);
    const tookMs = performance.now() - began;
    this.#kind.remove(id);
    return tookMs;
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
    this.#namespaces[Symbol.dispose]();
  }
}
