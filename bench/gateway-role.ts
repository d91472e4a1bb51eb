/** The gateway by itself, with as many tenants as wanted: control, agent and the one instance that answers are played here. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { functionConfigSchema } from '../src/model/function.ts';
import { noTimes } from '../src/model/phases.ts';
import { type RoleConfig, roleConfigVariable, socketOf, stateSocketOf } from '../src/role/role-config.ts';
import { acquireSchema } from '../src/wire/agent-calls.ts';
import { serveCalls } from '../src/wire/calls.ts';
import { encodeFrame, FrameDecoder } from '../src/wire/frames.ts';
import { frame } from '../src/wire/instance-protocol.ts';
import { functionsAtOnce, type PublishedFunction } from '../src/wire/published-state.ts';
import { plainRouting } from '../src/wire/routing.ts';

const main = fileURLToPath(new URL('../src/gateway/main.ts', import.meta.url));
/** For 100,000 functions some seconds. */
const readyLimitMs = 60_000;
const answer = Buffer.from('{"message":"Hello, world!"}');
const head = JSON.stringify([200, ['content-type', 'application/json', 'content-length', String(answer.length)]]);

export interface GatewayRole extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/**
 * @param tenants each with so many functions, `f0` and so on, whose addresses are public; their names are `t0` and so on
 * @param routesEach of each function, as `routePath` names them
 */
export async function startGatewayRole(tenants: number, functionsEach: number, routesEach = 0): Promise<GatewayRole> {
  const home = await mkdtemp(join(tmpdir(), 'swiftlet-gateway-'));
  const run = join(home, 'run');
  for (const part of ['gateway', 'control', 'agent', 'relay', 'events']) mkdirSync(join(run, part), { recursive: true });
  await using started = new AsyncDisposableStack();
  started.defer(() => rm(home, { recursive: true, force: true }));
  const instance = join(home, 'instance.sock');
  started.use(await answering(instance));
  started.use(await publishing(stateSocketOf(run), tenants, functionsEach, routesEach));
  started.use(await serveCalls(socketOf(run, 'agent'), 'agent', { ask: (_method, body) => leaseOf(instance, body) }));
  const port = await freePort();
  const child = fork(main, {
    env: { ...process.env, [roleConfigVariable]: JSON.stringify(configOf(home, run, port)), SWIFTLET_LOG_LEVEL: 'silent' },
  });
  started.defer(async () => {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  await once(child, 'message');
  const url = `http://127.0.0.1:${port}`;
  // It may have begun to listen before it knew all functions.
  const signal = AbortSignal.timeout(readyLimitMs);
  while (!(await fetch(`${url}/@t${tenants - 1}/f0`, { signal })).ok) await sleep(100, undefined, { signal });
  const parts = started.move();
  return { url, pid: child.pid ?? 0, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

const configOf = (home: string, run: string, port: number): RoleConfig => ({
  role: 'gateway',
  run,
  home,
  gateway: { host: '127.0.0.1', port, tenantInFlight: 5_000, urls: 'public' },
  api: { host: '127.0.0.1', port: 0 },
  events: { log: { kind: 'sqlite' }, maxLogBytes: 0, webhookAllow: [], sourceFolders: [] },
  tokenHashes: [],
  agent: {
    isolation: 'bubblewrap',
    poolSize: 0,
    bootsAtOnce: 1,
    maxSandboxes: 1,
    network: { opened: [], nameServers: [], searchDomains: [] },
  },
  graceMs: 0,
});

/** An instance that answers every request at once. */
async function answering(path: string): Promise<AsyncDisposable> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const decoder = new FrameDecoder((type, stream) => {
      if (type !== frame.invoke) return;
      socket.write(
        Buffer.concat([
          encodeFrame(frame.head, stream, head),
          encodeFrame(frame.responseBody, stream, answer),
          encodeFrame(frame.done, stream, Buffer.alloc(8)),
        ]),
      );
    });
    socket.on('data', (chunk: Buffer) => decoder.push(chunk)).on('error', () => undefined);
  });
  await once(server.listen(path), 'listening');
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

/** A route of a function: some text that many share, some that only it has, and a parameter. */
export const routePath = (function_: number, route: number, id: string): string => `/shop/s${function_}/item${route}/${id}`;

function publishing(path: string, tenants: number, functionsEach: number, routesEach: number) {
  const config = functionConfigSchema.parse({ url: 'public', concurrency: 1_000, queueTimeoutMs: 60_000 });
  const published = (number: number): PublishedFunction => {
    const [tenant, name] = [`t${Math.floor(number / functionsEach)}`, `f${number % functionsEach}`];
    const routes = Array.from({ length: routesEach }, (_, route) => ({
      path: routePath(number % functionsEach, route, '{id}'),
      rates: [],
    }));
    const routed = { ...config, routes };
    const serving = {
      tenant,
      function: name,
      number: 1,
      digest: 'a'.repeat(64),
      size: 1,
      config: routed,
      createdAt: '2026-01-01T00:00:00.000Z',
    };
    return { tenant, name, serving, routing: plainRouting };
  };
  const all = tenants * functionsEach;
  const part = (from: number) => ({
    functions: Array.from({ length: Math.min(functionsAtOnce, all - from) }, (_, at) => published(from + at)),
    more: from + functionsAtOnce < all,
  });
  let sent = 0;
  return serveCalls(path, 'control', {
    opened: (peer) => {
      sent = functionsAtOnce;
      const known = Array.from({ length: tenants }, (_, number) => ({
        name: `t${number}`,
        quotas: { requestsPerSecond: 1_000_000 },
        cpuWeight: 100,
      }));
      peer.notify('state', { revision: 1, tokenHashes: [], tokens: [], tenants: known, ...part(0) });
    },
    notice: (method, _body, peer) => {
      if (method !== 'next') return;
      peer.notify('functions', part(sent));
      sent += functionsAtOnce;
    },
  });
}

function leaseOf(socketPath: string, body: unknown): object {
  const { instanceId } = acquireSchema.parse(body);
  return { instanceId, socketPath, slots: 1_000, start: 'warm', ...noTimes, isProvisioned: false, idleLimitMs: 600_000, leaseMs: 600_000 };
}
