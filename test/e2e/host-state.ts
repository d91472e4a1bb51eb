/** What a platform holds of its host while it is at rest, and that it comes back to it after an attack. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { holdingsOf, rolesBelow } from '../../bench/holdings.ts';
import { processTree } from '../../bench/processes.ts';
import type { PlatformOptions } from '../../bench/platform.ts';
import { type BenchPlatform, type E2e, eventually, openE2e } from './functions.ts';

interface HostState {
  readonly processes: number;
  /** Ended and not collected; a sandbox's own count too. */
  readonly zombies: number;
  readonly cgroups: number;
  readonly mounts: number;
  /** Network namespaces that processes of the platform are in. */
  readonly networks: number;
  /** Of the roles together, without their callers' open connections, which are the callers' to close. */
  readonly descriptors: number;
  readonly temporaryFiles: readonly string[];
}

const backWithinMs = 10_000;
/** What has not changed for so long is at rest. */
const restForMs = 500;

/** A platform that is looked at between attacks. */
export interface AttackedPlatform extends AsyncDisposable {
  readonly e2e: E2e;
  /** Takes what the platform holds now for what it is to come back to, and the functions there are for those that stay. */
  readonly rest: () => Promise<void>;
  /** Removes all other functions. Resolves when the platform holds what it held. @throws Error with what it holds instead */
  readonly restored: () => Promise<void>;
}

export async function openAttacked(options: Partial<PlatformOptions> = {}): Promise<AttackedPlatform> {
  const temporary = mkdtempSync(join(tmpdir(), 'swiftlet-attacked-'));
  // The roles have users of their own.
  chmodSync(temporary, 0o1777);
  const e2e = await openE2e({ ...options, environment: { ...options.environment, TMPDIR: temporary } });
  const { api } = e2e.platform;
  const now = () => stateOf(e2e.platform, temporary);
  let staying: readonly string[] = [];
  let before: HostState | undefined;
  return {
    e2e,
    async rest() {
      staying = await api.functions();
      // Full pools alone are not rest: what the agent counts may be a moment old.
      await eventually(
        async () => {
          await poolsFull(e2e.platform);
          before = now();
          await pause(restForMs);
          return isDeepStrictEqual(now(), before);
        },
        Boolean,
        backWithinMs,
      );
    },
    async restored() {
      for (const name of await api.functions()) if (!staying.includes(name)) await api.remove(name);
      await eventually(now, (state) => isSame(state, before), backWithinMs).catch((error: unknown) => {
        throw new Error(`the host is not as before, which was ${JSON.stringify(before)}`, { cause: error });
      });
    },
    async [Symbol.asyncDispose]() {
      await e2e[Symbol.asyncDispose]();
      rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/** A connection between roles may have been open at rest that nobody needs now. */
const isSame = (now: HostState, before: HostState | undefined): boolean =>
  isDeepStrictEqual({ ...now, descriptors: Math.max(now.descriptors, before?.descriptors ?? 0) }, before);

async function poolsFull({ api }: BenchPlatform): Promise<void> {
  const sum = (metrics: string, name: string) =>
    [...metrics.matchAll(new RegExp(`^${name}{\\S* (\\d+)`, 'gm'))].reduce((total, [, count]) => total + Number(count), 0);
  await eventually(
    () => api.metrics('agent'),
    (metrics) => sum(metrics, 'swiftlet_pool_size') > 0 && sum(metrics, 'swiftlet_pool_ready') === sum(metrics, 'swiftlet_pool_size'),
    backWithinMs,
  );
}

function stateOf({ pid, home }: BenchPlatform, temporaryFolder: string): HostState {
  const { processes, cgroups, mounts } = holdingsOf(pid, home);
  const tree = processTree(pid);
  return {
    processes,
    zombies: tree.filter((each) => /^State:\s+Z/m.test(read(`/proc/${each.pid}/status`))).length,
    cgroups,
    mounts,
    networks: new Set(tree.map((each) => link(`/proc/${each.pid}/ns/net`)).filter((name) => name !== '')).size,
    descriptors: rolesBelow(pid).reduce((sum, role) => sum + descriptorsOf(role.pid), 0),
    temporaryFiles: readdirSync(temporaryFolder).toSorted(),
  };
}

/** The relay opens its count of usage when it first hears of some, and keeps it open: at rest it may be there or not. */
const openedOnce = /\/usage\.sqlite/;

function descriptorsOf(pid: number): number {
  const callers = establishedIn(`/proc/${pid}/net`);
  const open = list(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`));
  return open.filter((target) => !callers.has(target) && !openedOnce.test(target)).length;
}

/** TCP connections whose both ends are open, as descriptors name them. One that only its caller has closed counts as held. */
function establishedIn(folder: string): Set<string> {
  const rows = ['tcp', 'tcp6'].flatMap((name) => read(`${folder}/${name}`).split('\n').slice(1));
  return new Set(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter((fields) => fields[3] === '01')
      .map((fields) => `socket:[${fields[9] ?? ''}]`),
  );
}

const link = (path: string): string => orEmpty(() => readlinkSync(path));
const read = (path: string): string => orEmpty(() => readFileSync(path, 'utf8'));

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Of a process that has ended meanwhile. */
function orEmpty(look: () => string): string {
  try {
    return look();
  } catch {
    return '';
  }
}
