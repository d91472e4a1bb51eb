/** The events role by itself: started as the supervisor would, in a folder of its own, asked over its socket as a gateway asks. */
import { fork } from 'node:child_process';
import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RoleConfig, roleConfigVariable, socketOf } from '../src/role/role-config.ts';
import { connectCalls } from '../src/wire/calls.ts';

const main = fileURLToPath(new URL('../src/events/main.ts', import.meta.url));

export interface EventRole extends AsyncDisposable {
  /** The folder of its log. */
  readonly folder: string;
  /** Has an event stored, and resolves once it is. It is delivered to nobody: no control says what functions there are. */
  accept(body: string): Promise<void>;
}

export async function startEventRole(): Promise<EventRole> {
  const home = await mkdtemp(join(tmpdir(), 'swiftlet-events-'));
  const run = join(home, 'run');
  for (const part of ['run/events', 'events']) mkdirSync(join(home, part), { recursive: true });
  const config: RoleConfig = {
    role: 'events',
    run,
    home,
    gateway: { host: '127.0.0.1', port: 0, tenantInFlight: 1, urls: 'public' },
    api: { host: '127.0.0.1', port: 0 },
    events: { log: { kind: 'sqlite' }, maxLogBytes: Number.MAX_SAFE_INTEGER, webhookAllow: [], sourceFolders: [] },
    tokenHashes: [],
    agent: {
      isolation: 'bubblewrap',
      poolSize: 0,
      bootsAtOnce: 1,
      maxSandboxes: 1,
      network: { opened: [], nameServers: [], searchDomains: [] },
    },
    graceMs: 0,
  };
  const child = fork(main, {
    cwd: join(home, 'events'),
    env: { ...process.env, [roleConfigVariable]: JSON.stringify(config), SWIFTLET_LOG_LEVEL: 'silent' },
  });
  await once(child, 'message');
  const calls = connectCalls(socketOf(run, 'events'), 'gateway');
  const request = {
    kind: 'http',
    method: 'POST',
    target: '/',
    sourceIp: '127.0.0.1',
    headers: ['host', 'bench', 'content-type', 'text/plain'],
  };
  return {
    folder: join(home, 'events'),
    async accept(body) {
      await calls.ask('accept', { id: randomUUIDv7(), tenant: 'default', function: 'bench', request, body });
    },
    async [Symbol.asyncDispose]() {
      await calls[Symbol.asyncDispose]();
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await rm(home, { recursive: true, force: true });
    },
  };
}
