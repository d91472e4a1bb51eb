/** Private networks from inside real sandboxes, through real tunnels and proxies, to real servers; and what goes wrong on the way. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packBundle } from '../../src/build/bundle.ts';
import { runSwiftlet } from '../cli/run-swiftlet.ts';
import { type E2e, eventually, openE2e } from '../e2e/functions.ts';
import { needsRoot } from '../e2e/needs.ts';
import { ask, client, type Exchange, postgresql, redis } from './private-client.ts';
import { openPrivateWorld, type PrivateWorld, postgresqlHost, range, redisHost, type Which } from './private-world.ts';

const skip = needsRoot;
/** After a proxy dies new connections have to succeed within this. */
const failoverMs = 1_000;
const flapWatchMs = 1_500;

interface Network {
  readonly name: string;
  readonly tunnels: readonly [number, number];
  readonly functions: readonly string[];
  readonly state?: {
    readonly state: string;
    readonly detail?: string;
    readonly proxies: readonly { readonly health: string; readonly isActive: boolean }[];
  };
}

let e2e: E2e;
let acme: PrivateWorld;
let other: PrivateWorld;
let acmeTunnels: readonly [number, number];

before(async () => {
  if (skip !== false) return;
  [acme, other] = await Promise.all([
    openPrivateWorld({ number: 1, hasPostgresql: true }),
    openPrivateWorld({ number: 2, hasPostgresql: false }),
  ]);
  e2e = await openE2e({ poolSize: 3 });
});
after(async () => {
  if (skip !== false) return;
  await e2e[Symbol.asyncDispose]();
  await Promise.all([acme[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
});

async function api(method: string, path: string, body?: unknown, tenant = 'default') {
  const response = await fetch(`${e2e.platform.apiUrl}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${e2e.platform.token}`,
      'x-swiftlet-tenant': tenant,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
}

const network = async (name: string, tenant = 'default'): Promise<Network> =>
  (await api('GET', `/v1/networks/${name}`, undefined, tenant)).json as unknown as Network;
const untilState = (name: string, state: string, tenant = 'default') =>
  eventually(
    () => network(name, tenant),
    (seen) => seen.state?.state === state,
  );
/** `swiftlet network …` as a user types it. */
const command = (...args: readonly string[]) =>
  runSwiftlet(['network', ...args], { SWIFTLET_API_URL: e2e.platform.apiUrl, SWIFTLET_TOKEN: e2e.platform.token, NO_COLOR: '1' });
const activeOf = ({ state }: Network): number => state?.proxies.findIndex(({ isActive }) => isActive) ?? -1;

async function make(name: string, world: PrivateWorld, tenant = 'default'): Promise<readonly [number, number]> {
  const made = await api('PUT', `/v1/networks/${name}`, { ranges: [range], proxies: world.proxies }, tenant);
  assert.equal(made.status, 201, JSON.stringify(made.json));
  return made.json['tunnels'] as [number, number];
}

async function publish(tenant: string, name: string, config: object): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-private-'));
  try {
    await writeFile(join(folder, 'index.mjs'), client);
    const bundle = await packBundle(folder);
    const headers = { authorization: `Bearer ${e2e.platform.token}`, 'x-swiftlet-tenant': tenant };
    await fetch(`${e2e.platform.apiUrl}/v1/artifacts/${bundle.digest}`, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/vnd.swiftlet.bundle' },
      body: new Uint8Array(bundle.bytes),
    });
    const deployed = await api('PUT', `/v1/functions/${name}`, { digest: bundle.digest, config }, tenant);
    assert.ok(deployed.status < 300, JSON.stringify(deployed.json));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const ping = redis(redisHost, 'PING', '\\+PONG');
const once = (exchange: Exchange, path = '/client/') => ask(e2e, path, 'once', exchange);
/** How long it takes until new connections succeed. */
const retried = async (path = '/client/'): Promise<number> => {
  const { outcome, ms } = await ask(e2e, path, 'retry', ping);
  assert.equal(outcome, 'answered');
  return ms;
};

async function whole(): Promise<void> {
  for (const which of [0, 1] as const) await acme.killProxy(which);
  for (const which of [0, 1] as const) await acme.startProxy(which, acmeTunnels[which]);
  await eventually(
    () => network('office'),
    ({ state }) => state?.proxies.every(({ health }) => health === 'up') ?? false,
  );
}
/** The one that is used now, with a connection of a function through it. */
async function active(): Promise<Which> {
  const place = activeOf(await network('office'));
  assert.ok(place === 0 || place === 1);
  return place;
}

test('a network without proxies: it is made, and a function that names it is refused at once and told why', { skip }, async () => {
  const made = await command('create', 'office', '--range', range, ...acme.proxies.flatMap((address) => ['--proxy', address]));
  assert.match(made.stdout, /The private network office is made/);
  acmeTunnels = (await network('office')).tunnels;
  for (const [place, address] of acme.proxies.entries()) {
    assert.match(made.stdout, new RegExp(`on ${address}: +swiftlet proxy --tunnel ${acmeTunnels[place]} --platform `));
  }
  assert.equal((await network('office')).state?.state, 'unused');
  await e2e.publish('client', client, { network: { private: ['office'], deny: ['10.20.0.9'] } });
  const { state } = await untilState('office', 'cut');
  assert.match(
    state?.detail ?? '',
    new RegExp(`on ${acme.proxies[0]} run "swiftlet proxy --tunnel ${acmeTunnels[0]} --platform ${acme.platforms[0]}"`),
  );
  const { outcome, ms } = await once(ping);
  assert.equal(outcome, 'ECONNREFUSED');
  assert.ok(ms < failoverMs);
  await eventually(
    () => e2e.log('client'),
    (lines) =>
      lines.some(({ message }) => /10\.20\.0\.6:6379 \(TCP\) was refused: no proxy of the private network answers/.test(String(message))),
  );
});

test('with its proxies PostgreSQL and Redis are reached, by their own addresses', { skip }, async () => {
  for (const which of [0, 1] as const) await acme.startProxy(which, acmeTunnels[which]);
  await untilState('office', 'connected');
  const isUp = (address: string) => `swiftlet_private_network_proxy_up{tenant="default",network="office",proxy="${address}"} 1`;
  await eventually(
    () => e2e.platform.api.metrics('agent'),
    (metrics) => acme.proxies.every((address) => metrics.includes(isUp(address))),
  );
  assert.match((await once(redis(redisHost, 'SET who acme', '\\+OK'))).outcome, /answered/);
  const asked = await once(postgresql(postgresqlHost, 'select inet_server_addr(), inet_client_addr()'));
  assert.equal(asked.outcome, 'answered', JSON.stringify(asked));
  // The service sees its own address, and the proxy’s.
  assert.match(asked.tail, /10\.20\.0\.5.*10\.20\.0\.[23]/s);
});

test('what is denied stays closed, and functions that do not name the network do not reach it', { skip }, async () => {
  await e2e.publish('stranger', client);
  for (const [path, exchange] of [
    ['/stranger/', ping],
    ['/client/', redis('10.20.0.9', 'PING', 'PONG')],
    // The proxy’s own services, and what is beside the network.
    ['/client/', redis('169.254.83.2', 'PING', 'PONG')],
    ['/client/', redis('10.20.1.1', 'PING', 'PONG')],
  ] as const) {
    const { outcome, ms } = await once(exchange, path);
    assert.equal(outcome, 'ECONNREFUSED', `${path} ${exchange.host}`);
    assert.ok(ms < failoverMs);
  }
});

test('another tenant’s network with the same addresses is another network', { skip }, async () => {
  assert.equal((await api('PUT', '/v1/tenants/other', {})).status, 201);
  const tunnels = await make('office', other, 'other');
  await publish('other', 'client', { network: { private: ['office'] }, url: 'public' });
  for (const which of [0, 1] as const) await other.startProxy(which, tunnels[which]);
  await untilState('office', 'connected', 'other');
  assert.equal((await once(redis(redisHost, 'SET who other', '\\+OK'), '/@other/client/')).outcome, 'answered');
  const whose = async (path: string) => (await once(redis(redisHost, 'GET who', '\\r\\n[a-z]+\\r\\n'), path)).tail;
  const seen = await Promise.all(Array.from({ length: 10 }, (_, at) => whose(at % 2 === 0 ? '/client/' : '/@other/client/')));
  for (const [at, tail] of seen.entries()) assert.match(tail, at % 2 === 0 ? /\r\nacme\r\n/ : /\r\nother\r\n/);
  // Its tenant cannot take away, nor see, the first one’s.
  assert.deepEqual((await network('office', 'other')).functions, ['client']);
});

test('a proxy has so many connections open as it was told, and refuses the next at once', { skip }, async () => {
  const { tunnels } = await network('office', 'other');
  for (const which of [0, 1] as const) await other.killProxy(which);
  await other.startProxy(0, tunnels[0], '--connections', '1');
  await retried('/@other/client/');
  assert.equal((await ask(e2e, '/@other/client/', 'keep', ping)).outcome, 'answered');
  const { outcome, ms } = await once(ping, '/@other/client/');
  assert.equal(outcome, 'ECONNREFUSED');
  assert.ok(ms < failoverMs);
  assert.equal((await ask(e2e, '/@other/client/', 'again', ping)).outcome, 'answered', 'the one that it has goes on');
});

test('large answers pass, also where packets may be no larger than 1,300 bytes on the way', { skip }, async () => {
  const large = postgresql(postgresqlHost, `select repeat('x', 3000000)`);
  for (const mtu of [1_500, 1_300]) {
    for (const which of [0, 1] as const) acme.setMtu(which, mtu);
    const { outcome, length } = await once(large);
    assert.equal(outcome, 'answered', `with ${mtu} bytes`);
    assert.ok(length > 3_000_000);
  }
  for (const which of [0, 1] as const) acme.setMtu(which, 1_500);
});

test('a tenth of all packets lost: everything is slower, and no proxy is given up', { skip }, async () => {
  const first = await active();
  {
    using _loss = acme.disturb(first, 'numgen inc mod 10 == 0 drop');
    const until = performance.now() + flapWatchMs;
    while (performance.now() < until) {
      assert.equal((await once(ping)).outcome, 'answered');
      assert.equal(await active(), first);
    }
  }
});

const deaths: Readonly<Record<string, (which: Which) => Promise<() => Promise<void>>>> = {
  'kill -9': async (which) => {
    await acme.killProxy(which);
    return () => acme.startProxy(which, acmeTunnels[which]);
  },
  'its cable cut': (which) => {
    acme.setCable(which, 'down');
    return Promise.resolve(() => {
      acme.setCable(which, 'up');
      return Promise.resolve();
    });
  },
  'a blackhole': (which) => {
    const hole = acme.disturb(which, 'drop');
    return Promise.resolve(() => {
      hole[Symbol.dispose]();
      return Promise.resolve();
    });
  },
};

for (const [death, kill] of Object.entries(deaths))
  test(`the active proxy dies (${death}): new connections succeed within a second, old ones are reset, and it returns without flapping`, {
    skip,
  }, async () => {
    await whole();
    await e2e.publish('keeper', client, { network: { private: ['office'] } });
    const first = await active();
    assert.equal((await ask(e2e, '/keeper/', 'keep', ping)).outcome, 'answered');
    const holding = ask(e2e, '/keeper/', 'hold', ping);
    const revive = await kill(first);
    const ms = await retried();
    assert.ok(ms <= failoverMs, `after ${ms} ms`);
    assert.equal((await holding).outcome, 'ECONNRESET');
    const second = await active();
    assert.notEqual(second, first);
    assert.equal((await network('office')).state?.state, 'degraded');
    await revive();
    await untilState('office', 'connected');
    assert.equal((await ask(e2e, '/keeper/', 'keep', ping)).outcome, 'answered');
    const until = performance.now() + flapWatchMs;
    while (performance.now() < until) {
      assert.equal(await active(), second, 'the one that returned took over again');
      assert.equal((await ask(e2e, '/keeper/', 'again', ping)).outcome, 'answered');
    }
  });

test('both sides restart in any order', { skip }, async () => {
  await whole();
  const first = await active();
  await acme.killProxy(first);
  // Until then the killed one's kernel goes on.
  await untilState('office', 'degraded');
  // A busy machine may have missed the other one for a moment, which is degraded, too.
  const second = await eventually(active, (now) => now !== first);
  assert.equal((await ask(e2e, '/keeper/', 'keep', ping)).outcome, 'answered');
  // The next agent goes on with the proxy that is used, and with the connections through it.
  process.kill((await agentOf(e2e.platform.pid)) ?? 0, 'SIGKILL');
  assert.equal((await ask(e2e, '/keeper/', 'again', ping)).outcome, 'answered');
  await eventually(
    () => network('office').catch(() => undefined),
    (seen) => seen?.state?.state === 'degraded',
  );
  assert.equal(await active(), second);
  assert.equal((await ask(e2e, '/keeper/', 'again', ping)).outcome, 'answered');
  // Without any proxy, then with the other one only.
  await acme.killProxy(second);
  await untilState('office', 'cut');
  assert.equal((await once(ping)).outcome, 'ECONNREFUSED');
  await acme.startProxy(first, acmeTunnels[first]);
  await retried();
  assert.equal(await active(), first);
});

test('a proxy that is stopped leaves nothing on its host', { skip }, async () => {
  const seen = () =>
    ['link', 'rule', 'neigh'].map((what) => acme.run('pa', 'ip', what)).join('') + acme.run('pa', 'nft', 'list', 'ruleset');
  await acme.killProxy(0);
  assert.match(seen(), /swpn/, 'a killed one leaves what forwards');
  await acme.startProxy(0, acmeTunnels[0]);
  await acme.stopProxy(0);
  assert.doesNotMatch(seen(), /swpn|swiftlet/);
  for (const name of ['ip_forward', 'fwmark_reflect']) assert.equal(acme.run('pa', 'cat', `/proc/sys/net/ipv4/${name}`).trim(), '0', name);
});

test('the command line shows it, and a network in use is not removed', { skip }, async () => {
  const described = await command('describe', 'office');
  assert.match(described.stdout, /^used by +client, keeper/m);
  assert.match(
    described.stdout,
    new RegExp(`on ${acme.proxies[1]}: +swiftlet proxy --tunnel ${acmeTunnels[1]} --platform ${acme.platforms[1]}`),
  );
  assert.match((await command('list')).stdout, new RegExp(`^office +${range} +${acme.proxies.join(', ')} +client, keeper`, 'm'));
  const proxies = acme.proxies.flatMap((address) => ['--proxy', address]);
  const wrong: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [['--range', '10.30.0.0/16', '--range', '10.30.7.0/24', ...proxies], /"10\.30\.7\.0\/24" overlaps "10\.30\.0\.0\/16"/],
    [['--range', '10.30.0.0/16', '--proxy', 'proxy.example', '--proxy', acme.proxies[0]], /named by its IPv4 address/],
  ];
  for (const [args, said] of wrong) {
    const { code, stderr } = await command('create', 'plant', ...args);
    assert.notEqual(code, 0);
    assert.match(stderr, said);
  }
  const refused = await command('remove', 'office');
  assert.match(refused.stderr, /named by the functions "client", "keeper"/);
  for (const name of ['client', 'keeper']) await e2e.platform.api.remove(name);
  assert.match((await command('remove', 'office')).stdout, /is removed/);
  assert.match((await command('list')).stdout, /No private networks/);
  // Warm sandboxes were ready for the next start of those that are gone.
  await e2e.publish('afterwards', client);
  assert.equal((await once(ping, '/afterwards/')).outcome, 'ECONNREFUSED');
});

/** Not there while it is started again. */
const agentOf = (supervisor: number): Promise<number | undefined> =>
  eventually(
    () =>
      readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map(Number)
        .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('swiftlet agent')),
    (pid) => pid !== undefined,
  );
