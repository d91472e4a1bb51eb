/** The processes of a platform under test. */
import { readdirSync, readFileSync } from 'node:fs';
import { processTree } from '../../bench/processes.ts';
import { homeId } from '../../src/role/home.ts';
import { type BenchPlatform, eventually } from './functions.ts';

/** One that dies again and again is started after up to 5 s. */
const successorLimitMs = 20_000;

/** Ends a role and resolves when its successor serves. */
export async function killRole(
  { pid: supervisor, gatewayUrl, apiUrl }: BenchPlatform,
  role: string,
  signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL',
): Promise<void> {
  const roles = () => processTree(supervisor).filter(({ parent, title }) => parent === supervisor && title.startsWith(`swiftlet ${role}`));
  const [running] = roles();
  if (running === undefined) throw new Error(`${role} does not run`);
  process.kill(running.pid, signal);
  await eventually(roles, (now) => now.length === 1 && now[0]?.pid !== running.pid, successorLimitMs);
  for (const url of [`${gatewayUrl}/_/health`, `${apiUrl}/healthz`]) {
    await eventually(
      () =>
        fetch(url).then(
          (response) => response.ok,
          () => false,
        ),
      Boolean,
      successorLimitMs,
    );
  }
}

/** What runs of a user's platform: all that the user runs, or what stands below its supervisor when the user is the one who tests. */
export function processesOfUser(uid: number, supervisor: number): number[] {
  if (uid === process.getuid?.()) return processTree(supervisor).map(({ pid }) => pid);
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && new RegExp(`^Uid:\\s+${uid}\\b`, 'm').test(statusOf(pid)));
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** Where the sockets of a platform are. */
export function runFolderOf(uid: number, home: string): string {
  if (uid === 0) return `/run/swiftlet/${homeId(home)}`;
  const own = uid === process.getuid?.() ? process.env['XDG_RUNTIME_DIR'] : undefined;
  return `${own ?? `/tmp/swiftlet-${uid}`}/swiftlet/${homeId(home)}`;
}
