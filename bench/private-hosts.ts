/**
 * The hosts of a private network for the bench, each a network namespace: two for proxies, and a server behind them, at a switch where this machine
 * stands, too.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const answering = fileURLToPath(new URL('./answering-server.ts', import.meta.url));
const prefix = 'swb';

export const privateRange = '10.21.0.0/24';
/** The server’s addresses: in the private network, and for this machine at the same switch. */
export const serverAddress = { inNetwork: '10.21.0.5', direct: '100.64.61.2' } as const;
export const directRange = '100.64.61.0/30';
export const serverPort = 7_000;

export interface PrivateHosts extends AsyncDisposable {
  readonly proxies: readonly [string, string];
  /** Starts both proxies. @param tunnels in their order */
  startProxies(tunnels: readonly [number, number]): Promise<void>;
}

const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** @throws Error without root, or where there are such hosts already */
export async function openPrivateHosts(): Promise<PrivateHosts> {
  await using opened = new AsyncDisposableStack();
  for (const host of ['sw', 'pa', 'pb', 'srv']) {
    ip('netns', 'add', `${prefix}-${host}`);
    opened.defer(() => void ip('netns', 'delete', `${prefix}-${host}`));
    ip('-n', `${prefix}-${host}`, 'link', 'set', 'lo', 'up');
  }
  ip('-n', `${prefix}-sw`, 'link', 'add', 'switch', 'up', 'type', 'bridge');
  for (const [host, address] of [
    ['pa', '10.21.0.2/24'],
    ['pb', '10.21.0.3/24'],
    ['srv', '10.21.0.5/24'],
  ] as const) {
    const named = `${prefix}-${host}`;
    ip('-n', `${prefix}-sw`, 'link', 'add', host, 'up', 'master', 'switch', 'type', 'veth', 'peer', 'name', 'lan0', 'netns', named);
    ip('-n', named, 'link', 'set', 'lan0', 'up');
    ip('-n', named, 'addr', 'add', address, 'dev', 'lan0');
  }
  // Without the tunnel this machine would stand at the same switch.
  ip('link', 'add', `${prefix}srv`, 'up', 'type', 'veth', 'peer', 'name', 'direct', 'netns', `${prefix}-sw`);
  ip('-n', `${prefix}-sw`, 'link', 'set', 'direct', 'up', 'master', 'switch');
  ip('addr', 'add', '100.64.61.1/30', 'dev', `${prefix}srv`);
  ip('-n', `${prefix}-srv`, 'addr', 'add', `${serverAddress.direct}/30`, 'dev', 'lan0');
  for (const [at, host] of [
    [1, 'pa'],
    [2, 'pb'],
  ] as const) {
    const named = `${prefix}-${host}`;
    ip('link', 'add', `${prefix}${host}`, 'up', 'type', 'veth', 'peer', 'name', 'wan0', 'netns', named);
    ip('addr', 'add', `100.64.61.${4 * at + 1}/30`, 'dev', `${prefix}${host}`);
    ip('-n', named, 'link', 'set', 'wan0', 'up');
    ip('-n', named, 'addr', 'add', `100.64.61.${4 * at + 2}/30`, 'dev', 'wan0');
  }
  const children: ChildProcess[] = [];
  opened.defer(() => endAll(children));
  const start = async (host: string, ...args: readonly string[]) => {
    const command = ['netns', 'exec', `${prefix}-${host}`, process.execPath, '--disable-warning=ExperimentalWarning', ...args];
    const child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error(`${args[0] ?? ''} ended`)))]);
  };
  await start('srv', answering, String(serverPort));
  const hosts = opened.move();
  return {
    proxies: ['100.64.61.6', '100.64.61.10'],
    async startProxies([one, other]) {
      await start('pa', cli, 'proxy', '--tunnel', String(one), '--platform', '100.64.61.5');
      await start('pb', cli, 'proxy', '--tunnel', String(other), '--platform', '100.64.61.9');
    },
    [Symbol.asyncDispose]: () => hosts.disposeAsync(),
  };
}

async function endAll(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
}
