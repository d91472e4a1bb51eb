/** A user without rights, for tests of what such a user gets. Whoever runs the tests without being root is one. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { PlatformUser } from '../../bench/platform.ts';
import { packageFolder } from '../../src/role/package-folder.ts';

export interface OrdinaryUser extends PlatformUser, Disposable {
  readonly uid: number;
  /** A command as this user would type it, on a machine that lacks these programs. */
  without(programs: readonly string[], argument: readonly string[]): readonly string[];
}

/** Nobody's number: no entry in /etc/passwd either, as in many containers. */
const strangerUid = 1_790_000_000 + (process.pid % 1_000_000);
/** Shows the checkout, wherever it is, to a user who may not enter the folders above it; the host sees nothing of it. */
const asStranger =
  'mount --bind "$5" /dev/net/tun; for program in $4; do mount --bind /dev/null "$program"; done; mount --bind "$1" "$2" && cd "$2" && uid=$3 && shift 5 && exec setpriv --reuid="$uid" --regid="$uid" --clear-groups env -u XDG_RUNTIME_DIR -u XDG_DATA_HOME -u XDG_CACHE_HOME "$@"';

export function ordinaryUser(): OrdinaryUser {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) {
    const command = (argument: readonly string[]) => argument;
    return { uid, own: () => undefined, command, without: (_programs, argument) => argument, [Symbol.dispose]: () => undefined };
  }
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-user-'));
  const [code, home] = [join(folder, 'code'), join(folder, 'home')];
  mkdirSync(code);
  // Open to all, as most systems have it, and some containers do not.
  const tunnels = join(folder, 'tun');
  execFileSync('mknod', ['-m', '666', tunnels, 'c', '10', '200']);
  mkdirSync(home, { mode: 0o700 });
  for (const path of [folder, home]) chownSync(path, strangerUid, strangerUid);
  const there = (path: string) => (path.startsWith(`${packageFolder}/`) ? join(code, relative(packageFolder, path)) : path);
  const without = (programs: readonly string[], argument: readonly string[]) => [
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', asStranger, 'sh'],
    ...[packageFolder, code, String(strangerUid), programs.join(' '), tunnels, `HOME=${home}`, ...argument.map(there)],
  ];
  return {
    uid: strangerUid,
    own: (path) => chownSync(path, strangerUid, strangerUid),
    command: (argument) => without([], argument),
    without,
    [Symbol.dispose]: () => {
      rmSync(folder, { recursive: true, force: true });
      // Of platforms that were killed.
      rmSync(`/tmp/swiftlet-${strangerUid}`, { recursive: true, force: true });
    },
  };
}
