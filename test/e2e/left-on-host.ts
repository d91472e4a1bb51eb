/** What a platform that has ended left on its host. Others may run beside it. */
import { existsSync, mkdtempSync, chmodSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { cgroupsOf } from '../../bench/holdings.ts';
import type { PlatformOptions } from '../../bench/platform.ts';
import { processTree } from '../../bench/processes.ts';
import { hasSysAdmin } from '../../src/agent/isolation.ts';
import { processesOfSlots } from '../../src/agent/sandbox/remains.ts';
import { identitiesOf } from '../../src/cli/up/identities.ts';
import { homeId, runFolder } from '../../src/role/home.ts';
import { type E2e, openE2e } from './functions.ts';

export interface Left {
  /** Their numbers and names, with those that have ended and were not collected. */
  readonly processes: readonly string[];
  readonly cgroups: number;
  /** Of the host’s network; all else hangs on them. */
  readonly interfaces: readonly string[];
  readonly runFolder: boolean;
  readonly temporaryFiles: readonly string[];
}

export const nothingLeft: Left = { processes: [], cgroups: 0, interfaces: [], runFolder: false, temporaryFiles: [] };

/** A platform with a temporary folder of its own. */
export interface WatchedPlatform {
  readonly e2e: E2e;
  /** Remembers the processes that run now, to look for them later. */
  readonly remember: () => void;
  readonly left: () => Left;
  /** Removes the run folder; for a platform that could not do it itself. */
  readonly removeRunFolder: () => void;
}

const usersOfPlatform = 10_000;

/** Opens a platform that is stopped after the test at the latest. */
export async function openWatched(t: TestContext, options: Partial<PlatformOptions> = {}): Promise<WatchedPlatform> {
  const temporary = mkdtempSync(join(tmpdir(), 'swiftlet-left-'));
  // The roles have users of their own.
  chmodSync(temporary, 0o1777);
  t.after(() => rmSync(temporary, { recursive: true, force: true }));
  const e2e = await openE2e({ ...options, environment: { TMPDIR: temporary } });
  t.after(() => e2e[Symbol.asyncDispose]());
  const { pid, home } = e2e.platform;
  const run = runFolder(home, process.env);
  const remembered = new Map<number, string>();
  return {
    e2e,
    remember() {
      for (const each of processTree(pid)) remembered.set(each.pid, startOf(each.pid) ?? '');
    },
    left: () => ({
      processes: [...new Set([...survivorsOf(remembered), ...othersOf(home, run)])].map((left) => `${left} ${titleOf(left)}`),
      cgroups: cgroupsOf(home),
      interfaces: readdirSync('/sys/class/net').filter((name) => name.includes(homeId(home))),
      runFolder: existsSync(run),
      temporaryFiles: readdirSync(temporary),
    }),
    removeRunFolder() {
      rmSync(run, { recursive: true, force: true });
      for (let folder = dirname(run); basename(folder).startsWith('swiftlet') && readdirSync(folder).length === 0; folder = dirname(folder))
        rmdirSync(folder);
    },
  };
}

const survivorsOf = (remembered: ReadonlyMap<number, string>): number[] =>
  [...remembered].filter(([pid, start]) => startOf(pid) === start).map(([pid]) => pid);

/** Processes that nobody remembered: by the host users of this platform, or by the slots that they name. */
function othersOf(home: string, run: string): number[] {
  if (!hasSysAdmin()) return processesOfSlots({ slotsFolder: join(run, 'agent', 'slots'), uids: undefined }).map(({ pid }) => pid);
  const { group } = identitiesOf(homeId(home));
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const uid = Number(/^Uid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? -1);
      return uid >= group && uid < group + usersOfPlatform;
    });
}

/** With its number it names a process for good, also one that has ended and waits to be collected. */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

const titleOf = (pid: number): string => /^Name:\s+(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 'gone';

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
