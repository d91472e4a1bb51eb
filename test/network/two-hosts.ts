/** A platform on two hosts: control in this network namespace, what runs functions in another one, a cable between them. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../bench/free-port.ts';
import { ControlApi } from '../../bench/control-api.ts';
import { eventually } from '../e2e/functions.ts';

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const startLimitMs = 30_000;
const stopLimitMs = 20_000;
/** Both ends of the cable, of a range that is for tests of networks alone (RFC 2544). */
export const addresses = { control: '198.18.77.1', functions: '198.18.77.2' } as const;
export const callsPort = 7400;

export interface TwoHosts extends AsyncDisposable {
  /** On this host's loopback. */
  readonly apiUrl: string;
  /** Over the cable. */
  readonly gatewayUrl: string;
  readonly token: string;
  readonly api: ControlApi;
  readonly homes: Readonly<Record<'control' | 'functions', string>>;
  /** What each platform printed until now. */
  log(host: 'control' | 'functions'): string;
}

/** @param lifeSeconds of the certificates */
export async function openTwoHosts(lifeSeconds: number): Promise<TwoHosts> {
  await using opened = new AsyncDisposableStack();
  const namespace = opened.use(openCable());
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-hosts-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const homes = { control: join(folder, 'control'), functions: join(folder, 'functions') };
  const logs = { control: join(folder, 'control.log'), functions: join(folder, 'functions.log') };
  const apiPort = await freePort();
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const common = { SWIFTLET_CERTIFICATE_LIFE_S: String(lifeSeconds), SWIFTLET_URLS: 'public', SWIFTLET_POOL_SIZE: '2' };
  opened.use(
    start([process.execPath, cli, 'up'], logs.control, {
      ...common,
      SWIFTLET_HOME: homes.control,
      SWIFTLET_SERVES: 'control',
      SWIFTLET_API_PORT: String(apiPort),
      SWIFTLET_CALLS: `${addresses.control}:${callsPort}`,
      SWIFTLET_OTHER_HOST: `${addresses.functions}:${callsPort}`,
    }),
  );
  const healthStatus = () =>
    fetch(`${apiUrl}/healthz`).then(
      ({ status }) => status,
      () => 0,
    );
  try {
    await eventually(healthStatus, (status) => status === 503, startLimitMs);
    const token = (await readFile(join(homes.control, 'token'), 'utf8')).trim();
    const bundle = join(folder, 'edge.pem');
    const command = [cli, 'host', 'admit', 'edge', '--out', bundle];
    execFileSync(process.execPath, command, { env: { ...process.env, SWIFTLET_API_URL: apiUrl, SWIFTLET_TOKEN: token }, stdio: 'pipe' });
    opened.use(
      start(['nsenter', `--net=/run/netns/${namespace.name}`, process.execPath, cli, 'up'], logs.functions, {
        ...common,
        SWIFTLET_HOME: homes.functions,
        SWIFTLET_SERVES: 'functions',
        SWIFTLET_HOST: addresses.functions,
        SWIFTLET_CALLS: `${addresses.functions}:${callsPort}`,
        SWIFTLET_OTHER_HOST: `${addresses.control}:${callsPort}`,
        SWIFTLET_JOIN: bundle,
      }),
    );
    await eventually(healthStatus, (status) => status === 200, startLimitMs);
    const running = opened.move();
    return {
      apiUrl,
      gatewayUrl: `http://${addresses.functions}:8080`,
      token,
      api: new ControlApi(apiUrl, token),
      homes,
      log: (host) => readFileSync(logs[host], 'utf8'),
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    const said = Object.values(logs).map((path) => tail(path));
    throw new Error(`the two hosts did not become one platform:\n${said.join('\n---\n')}`, { cause: error });
  }
}

const tail = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').slice(-3_000);
  } catch {
    return '';
  }
};

/** A network namespace, and a cable from here into it. */
function openCable(): Disposable & { readonly name: string } {
  const name = `swl-${process.pid}`;
  const [here, there] = [`swa${process.pid}`, `swb${process.pid}`];
  const ip = (...args: readonly string[]) => execFileSync('ip', args, { stdio: 'pipe' });
  ip('netns', 'add', name);
  try {
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name);
    ip('address', 'add', `${addresses.control}/30`, 'dev', here);
    ip('link', 'set', here, 'up');
    ip('-n', name, 'address', 'add', `${addresses.functions}/30`, 'dev', there);
    ip('-n', name, 'link', 'set', there, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  } catch (error) {
    ip('netns', 'delete', name);
    throw error;
  }
  // The cable goes with the end that is in it.
  return { name, [Symbol.dispose]: () => void ip('netns', 'delete', name) };
}

function start([program = '', ...argument]: readonly string[], logPath: string, environment: NodeJS.ProcessEnv): AsyncDisposable {
  writeFileSync(logPath, '');
  const log = openSync(logPath, 'a');
  const child = spawn(program, argument, { env: { ...process.env, ...environment, NO_COLOR: '1' }, stdio: ['ignore', log, log] });
  closeSync(log);
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      const forced = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
      await exited;
      clearTimeout(forced);
    },
  };
}
