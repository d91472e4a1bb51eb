/**
 * The part of a platform that events need: the events role as it is, a gateway with the real doors, and a control that only publishes.
 * Both processes are killed and started again; clients go on all the while, and note what they were promised.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SqliteEventLog } from '../../../src/events/sqlite-event-log.ts';
import { type FaultPoint, type faultPoints, faultVariable } from '../../../src/role/fault-points.ts';
import { roleConfigVariable, socketOf, stateSocketOf } from '../../../src/role/role-config.ts';
import { connectCalls, serveCalls } from '../../../src/wire/calls.ts';
import { configIn } from '../../control/control-under-test.ts';
import { tempFolder } from '../../control/temp-folder.ts';
import { eventually } from '../../e2e/functions.ts';
import { type Execution, judge, type Verdict } from './judge.ts';
import { frontSocketOf, retries, servedVersion } from './served.ts';

const eventsMain = fileURLToPath(new URL('../../../src/events/main.ts', import.meta.url));
const gatewayMain = fileURLToPath(new URL('gateway.ts', import.meta.url));
const clients = 8;
const afterRefusalMs = 5;
const drainLimitMs = 60_000;

type Role = keyof typeof faultPoints;

/** How a role is to die: at a point, after passing it so many times, or at any moment. */
export type Fault =
  | { readonly role: Role; readonly point: FaultPoint; readonly passes: number }
  | { readonly role: Role; readonly afterMs: number };

export interface LedgerPlatform extends AsyncDisposable {
  readonly acceptedCount: () => number;
  /** Has each role die of its faults, one after the other, and both at the same time; each death makes room for a successor. */
  suffer(faults: readonly Fault[], died: (fault: Fault) => void): Promise<void>;
  /** Ends the load, lets everything end, stops both processes and holds the ledgers against the log. */
  judge(): Promise<Verdict>;
}

export async function openLedgerPlatform(t: TestContext): Promise<LedgerPlatform> {
  const folder = tempFolder(t);
  const run = join(folder, 'run');
  for (const part of ['run/events', 'run/gateway', 'run/control', 'events']) mkdirSync(join(folder, part), { recursive: true });
  const [acceptedPath, executedPath] = [join(folder, 'accepted'), join(folder, 'executed')];
  for (const path of [acceptedPath, executedPath]) writeFileSync(path, '');
  const control = await publishing(run);
  const load = startLoad(run, acceptedPath);
  const living = new Map<Role, ChildProcess>();
  const start = async (role: Role, fault?: string) => {
    const child = await (role === 'events' ? startEvents(folder, fault) : startGateway(run, executedPath, fault));
    living.set(role, child);
    return child;
  };
  const end = async (role: Role) => {
    const child = living.get(role);
    child?.kill('SIGKILL');
    if (child !== undefined) await dead(child);
  };
  return {
    acceptedCount: () => load.accepted,
    async suffer(faults, died) {
      const each = async (role: Role) => {
        for (const fault of faults.filter((one) => one.role === role)) {
          const child = await start(role, 'point' in fault ? `${fault.point}:${fault.passes}` : undefined);
          // Without load a moment is as good as any other.
          if ('afterMs' in fault) void load.next().then(() => setTimeout(() => child.kill('SIGKILL'), fault.afterMs));
          await dead(child);
          died(fault);
        }
        await start(role);
      };
      await Promise.all([each('events'), each('gateway')]);
    },
    async judge() {
      await load.stop();
      await drained(run);
      await Promise.all([end('events'), end('gateway')]);
      return verdictOf(folder, linesOf(acceptedPath), load.sent, executionsOf(executedPath));
    },
    async [Symbol.asyncDispose]() {
      await load.stop();
      await Promise.all([end('events'), end('gateway')]);
      await control[Symbol.asyncDispose]();
    },
  };
}

const publishing = (run: string) =>
  serveCalls(stateSocketOf(run), 'control', {
    opened: (peer) =>
      peer.notify('state', { revision: 1, functions: [{ tenant: 'default', name: 'noted', serving: servedVersion }], tokenHashes: [] }),
  });

async function startEvents(folder: string, fault = ''): Promise<ChildProcess> {
  const config = { ...configIn(folder), role: 'events' };
  const env = { ...process.env, [roleConfigVariable]: JSON.stringify(config), [faultVariable]: fault, SWIFTLET_LOG_LEVEL: 'silent' };
  return ready(fork(eventsMain, { cwd: join(folder, 'events'), env }));
}

const startGateway = (run: string, ledger: string, fault = ''): Promise<ChildProcess> =>
  ready(fork(gatewayMain, [run, ledger], { env: { ...process.env, [faultVariable]: fault } }));

/** Resolves when it says that it serves, or died at its first steps, which a fault may have it do. */
async function ready(child: ChildProcess): Promise<ChildProcess> {
  await Promise.race([once(child, 'message'), once(child, 'exit')]);
  return child;
}

async function dead(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

interface Load {
  readonly accepted: number;
  readonly sent: ReadonlySet<string>;
  /** Resolves when the next event is accepted. */
  next(): Promise<unknown>;
  stop(): Promise<void>;
}

/** Clients that send one after the other, each under its own order key, and note what was accepted before they go on. */
function startLoad(run: string, acceptedPath: string): Load {
  const ledger = openSync(acceptedPath, 'a');
  const sent = new Set<string>();
  let accepted = 0;
  let isOver = false;
  const acceptance = new EventEmitter();
  const client = async (name: number) => {
    for (let number = 0; !isOver; number += 1) {
      const body = `${name} ${number}`;
      sent.add(body);
      const id = await send(run, body, `client-${name}`).catch(() => undefined);
      if (id === undefined) {
        await new Promise((resolve) => setTimeout(resolve, afterRefusalMs));
        continue;
      }
      writeSync(ledger, `${id}\n`);
      fsyncSync(ledger);
      accepted += 1;
      acceptance.emit('next');
    }
  };
  const running = Promise.all(Array.from({ length: clients }, (_, name) => client(name)));
  return {
    get accepted() {
      return accepted;
    },
    sent,
    next: () => once(acceptance, 'next'),
    async stop() {
      isOver = true;
      await running;
    },
  };
}

/** @returns the id, when it was accepted */
async function send(run: string, body: string, orderKey: string): Promise<string | undefined> {
  const headers = { 'content-length': body.length, 'x-swiftlet-order-key': orderKey };
  const request = httpRequest({ socketPath: frontSocketOf(run), method: 'POST', path: '/', agent: false, headers });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const answer = (await json(response)) as { id?: string };
  return response.statusCode === 202 ? answer.id : undefined;
}

/** Resolves when no event is open any more. */
async function drained(run: string): Promise<void> {
  await using calls = connectCalls(socketOf(run, 'events'), 'control');
  const open = /^swiftlet_events\{[^}]*state="(?:waiting|running)"\} [1-9]/m;
  await eventually(
    async () => ((await calls.ask('metrics', {})) as { text: string }).text,
    (text) => text.includes('swiftlet_events{') && !open.test(text),
    drainLimitMs,
  );
}

const linesOf = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean);

const executionsOf = (path: string): Execution[] =>
  linesOf(path).map((line) => ({ id: line.slice(0, line.indexOf(' ')), sent: line.slice(line.indexOf(' ') + 1) }));

/** Opens the log that a killed role has left, and judges. */
export async function verdictOf(
  folder: string,
  accepted: readonly string[],
  sent: ReadonlySet<string>,
  executions: readonly Execution[],
): Promise<Verdict> {
  await using log = new SqliteEventLog(join(folder, 'events', 'events.sqlite'), {
    maxBytes: Number.POSITIVE_INFINITY,
    now: () => performance.now(),
    committed: () => undefined,
    broken: (error) => {
      throw error;
    },
  });
  const ids = new Set([...accepted, ...executions.map(({ id }) => id)]);
  const records = new Map(await Promise.all([...ids].map(async (id) => [id, await log.find('default', id)] as const)));
  return judge({ accepted, sent, executions, find: (id) => records.get(id), attempts: retries + 1 });
}
