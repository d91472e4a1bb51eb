/**
 * The hosts of a private network, each a network namespace: two for its proxies, which this machine reaches by a cable each, and its servers
 * behind a switch, which know no way out of their own network.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Broker, brokerFolder, runTool } from '../brokers/broker.ts';

const cli = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const programs = '/usr/lib/postgresql/15/bin';

/** The same in every world. */
export const range = '10.20.0.0/24';
export const postgresqlHost = '10.20.0.5';
export const redisHost = '10.20.0.6';

const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

export type Which = 0 | 1;

export interface PrivateWorld extends AsyncDisposable {
  /** The proxies’ addresses, as this machine reaches them. */
  readonly proxies: readonly [string, string];
  /** This machine’s address, as each proxy reaches it. */
  readonly platforms: readonly [string, string];
  /** Starts a proxy, and resolves when it is there. @param more of its options */
  startProxy(which: Which, tunnel: number, ...more: readonly string[]): Promise<void>;
  /** Without a chance to do anything more. */
  killProxy(which: Which): Promise<void>;
  /** As a user would. */
  stopProxy(which: Which): Promise<void>;
  setCable(which: Which, state: 'up' | 'down'): void;
  setMtu(which: Which, mtu: number): void;
  /** Rules on a proxy’s host for what comes of tunnels, such as `drop`. @returns what takes them away */
  disturb(which: Which, rule: string): Disposable;
  /** Runs a program on a host: `pa`, `pb`, `pg` or `rd`. @returns what it printed */
  run(host: string, program: string, ...args: readonly string[]): string;
}

export interface WorldOptions {
  /** Tells worlds apart: 0 to 60. */
  readonly number: number;
  readonly hasPostgresql: boolean;
}

const subnet = (number: number, which: Which): string => `100.64.${number}.${which * 4}`;
const at = (base: string, host: number): string => base.replace(/\d+$/, (last) => String(Number(last) + host));

export async function openPrivateWorld({ number, hasPostgresql }: WorldOptions): Promise<PrivateWorld> {
  const prefix = `swt-p${number}-${process.pid}`;
  const named = (host: string) => `${prefix}-${host}`;
  const cable = (which: Which) => `swp${number}${which}x${process.pid}`.slice(0, 15);
  await using opened = new AsyncDisposableStack();
  for (const host of ['lan', 'pa', 'pb', 'pg', 'rd']) {
    ip('netns', 'add', named(host));
    opened.defer(() => void ip('netns', 'delete', named(host)));
    ip('-n', named(host), 'link', 'set', 'lo', 'up');
  }
  ip('-n', named('lan'), 'link', 'add', 'switch', 'up', 'type', 'bridge');
  for (const [place, host] of ['pa', 'pb', 'pg', 'rd'].entries()) {
    ip('-n', named('lan'), 'link', 'add', host, 'up', 'master', 'switch', 'type', 'veth', 'peer', 'name', 'lan0', 'netns', named(host));
    ip('-n', named(host), 'link', 'set', 'lan0', 'up');
    ip('-n', named(host), 'addr', 'add', `10.20.0.${[2, 3, 5, 6][place] ?? 0}/24`, 'dev', 'lan0');
  }
  for (const which of [0, 1] as const) {
    const host = named(which === 0 ? 'pa' : 'pb');
    ip('link', 'add', cable(which), 'up', 'type', 'veth', 'peer', 'name', 'wan0', 'netns', host);
    ip('addr', 'add', `${at(subnet(number, which), 1)}/30`, 'dev', cable(which));
    ip('-n', host, 'link', 'set', 'wan0', 'up');
    ip('-n', host, 'addr', 'add', `${at(subnet(number, which), 2)}/30`, 'dev', 'wan0');
    // A host that forwards nothing yet, and looks closely at where packets come from.
    ip('netns', 'exec', host, 'sh', '-c', 'cd /proc/sys/net/ipv4; echo 0 > ip_forward; echo 1 > conf/all/rp_filter');
  }
  const redis = new Broker(6379, brokerFolder('redis'), {
    command: 'redis-server',
    args: ['--port', '6379', '--bind', redisHost, '--protected-mode', 'no', '--save', ''],
    ready: /Ready to accept connections/,
    namespace: named('rd'),
  });
  opened.use(redis);
  await redis.start();
  if (hasPostgresql) await opened.use(await makePostgresql(named('pg'))).start();

  const children: [ChildProcess | undefined, ChildProcess | undefined] = [undefined, undefined];
  const proxyHost = (which: Which) => named(which === 0 ? 'pa' : 'pb');
  const platforms = [at(subnet(number, 0), 1), at(subnet(number, 1), 1)] as const;
  const end = async (which: Which, signal: NodeJS.Signals) => {
    const child = children[which];
    children[which] = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  const tunnels = new Set<number>();
  // What killed ones have written down of hosts that are gone.
  opened.defer(() => {
    const written = globSync([...tunnels].map((tunnel) => `/run/swiftlet/proxy-forwarding-*/proxy-${tunnel}`));
    for (const path of written) rmSync(dirname(path), { recursive: true });
  });
  opened.defer(() => end(0, 'SIGTERM'));
  opened.defer(() => end(1, 'SIGTERM'));
  const hosts = opened.move();
  return {
    proxies: [at(subnet(number, 0), 2), at(subnet(number, 1), 2)],
    platforms,
    async startProxy(which, tunnel, ...more) {
      tunnels.add(tunnel);
      const args = ['netns', 'exec', proxyHost(which), process.execPath, cli, 'proxy'];
      const child = spawn('ip', [...args, '--tunnel', String(tunnel), '--platform', platforms[which], ...more], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children[which] = child;
      const lines = createInterface(child.stdout);
      const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as unknown[];
      if (typeof line !== 'string') throw new Error(`the proxy ended with ${String(line)}`);
    },
    killProxy: (which) => end(which, 'SIGKILL'),
    stopProxy: (which) => end(which, 'SIGTERM'),
    // At the far end: the way stays, and nothing is ever sent another one.
    setCable: (which, state) => void ip('-n', proxyHost(which), 'link', 'set', 'wan0', state),
    setMtu(which, mtu) {
      ip('link', 'set', cable(which), 'mtu', String(mtu));
      ip('-n', proxyHost(which), 'link', 'set', 'wan0', 'mtu', String(mtu));
    },
    disturb(which, rule) {
      const nft = (text: string) => execFileSync('ip', ['netns', 'exec', proxyHost(which), 'nft', text]);
      nft(`table inet disturbed { chain arriving { type filter hook prerouting priority -400; udp dport 14789 ${rule}; }; }`);
      return { [Symbol.dispose]: () => void nft('delete table inet disturbed') };
    },
    run: (host, program, ...args) => execFileSync('ip', ['netns', 'exec', named(host), program, ...args], { encoding: 'utf8' }),
    [Symbol.asyncDispose]: () => hosts.disposeAsync(),
  };
}

async function makePostgresql(namespace: string): Promise<Broker> {
  const folder = brokerFolder('postgresql');
  const data = join(folder, 'data');
  await runTool(folder, `${programs}/initdb`, ['-D', data, '-U', 'swiftlet', '--auth=trust', '--no-sync', '--encoding=UTF8']);
  await runTool(folder, '/bin/sh', ['-c', `echo 'host all all 10.20.0.0/24 trust' >> ${join(data, 'pg_hba.conf')}`]);
  const settings = { listen_addresses: postgresqlHost, unix_socket_directories: '', fsync: 'off' };
  return new Broker(5432, folder, {
    command: `${programs}/postgres`,
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    ready: /database system is ready to accept connections/,
    namespace,
  });
}
