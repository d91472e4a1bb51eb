import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SwiftletError } from '../../model/errors.ts';
import { tokenFile } from '../../role/home.ts';
import { agentPlace, agentsOf, roleNames } from '../../role/role-config.ts';
import type { Identities } from './identities.ts';
import { codeMount, dataMount } from './role-command.ts';

const pidFile = (run: string): string => join(run, 'supervisor.pid');
const tokenBytes = 32;
const writableByOthers = 0o022;
const sticky = 0o1000;

/** Makes the folders of all roles, each open to its role only; under `run` to the other roles as well. @param agents how many there are */
export function makeFolders(home: string, run: string, identities: Identities | undefined, agents = 1): void {
  mkdirSync(home, { recursive: true });
  chmodSync(home, identities === undefined ? 0o700 : 0o711);
  mkdirSync(run, { recursive: true });
  for (const role of roleNames) {
    const owner = identities?.of(role);
    const data = join(home, role);
    mkdirSync(data, { recursive: true, mode: 0o700 });
    makeSocketFolder(join(run, role), owner?.uid, identities);
    if (owner !== undefined) mkdirSync(dataMount(run, role), { recursive: true });
    if (identities !== undefined) chownSync(data, owner?.uid ?? 0, owner?.gid ?? 0);
  }
  for (const index of agentsOf({ agent: { count: agents } })) makeSocketFolder(agentPlace({ run, home }, index).run, undefined, identities);
  mkdirSync(codeMount(run), { recursive: true });
  if (identities !== undefined) chownSync(run, 0, identities.group);
  chmodSync(run, 0o750);
}

function makeSocketFolder(folder: string, owner: number | undefined, identities: Identities | undefined): void {
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  chmodSync(folder, 0o750);
  if (identities !== undefined) chownSync(folder, owner ?? 0, identities.group);
}

/** Marks a data folder as served. @throws SwiftletError Conflict when another platform serves it already */
export function claimHome(home: string, run: string): Disposable {
  makeOwn(run);
  const path = pidFile(run);
  const other = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  if (other > 0 && other !== process.pid && isSwiftlet(other)) {
    throw new SwiftletError(
      'Conflict',
      `Swiftlet runs already with the data folder ${home} (process ${other}); stop it, or choose another folder with SWIFTLET_HOME`,
    );
  }
  writeFileSync(path, String(process.pid));
  return { [Symbol.dispose]: () => removeRun(run) };
}

/** Makes the run folder. @throws SwiftletError Conflict when it lies where others could change it */
export function makeOwn(run: string): void {
  mkdirSync(run, { recursive: true });
  demandOwn(run);
}

/** As whom root is seen: in a user namespace of one's own as nobody, like all others. What is there was looked at before entering it. */
const rootUid = (): number => (/^\s*0 /.test(readFileSync('/proc/self/uid_map', 'utf8')) ? 0 : 65_534);

/** Below a folder that all may write to, somebody else may have made ours first, and would see and change all that is in it. */
function demandOwn(run: string): void {
  for (let folder = run; folder !== dirname(folder); folder = dirname(folder)) {
    const stats = lstatSync(folder);
    const isShared = !stats.isSymbolicLink() && (stats.mode & writableByOthers) !== 0 && (stats.mode & sticky) === 0;
    if ((stats.uid === rootUid() || stats.uid === process.getuid?.()) && !isShared) continue;
    throw new SwiftletError(
      'Conflict',
      `${folder} belongs to somebody else or can be changed by others, so Swiftlet keeps no sockets there; remove it, or set XDG_RUNTIME_DIR to a folder of your own`,
    );
  }
}

/** Removes the folder, and those above it that were made for it and hold nothing else. */
function removeRun(run: string): void {
  rmSync(run, { recursive: true, force: true });
  for (let folder = dirname(run); basename(folder).startsWith('swiftlet'); folder = dirname(folder)) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}

function isSwiftlet(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('swiftlet');
  } catch {
    return false;
  }
}

/** The token that opens the control API: made at the first start, mode 0600. @returns its SHA-256 in hex */
export function prepareToken(home: string): string {
  const path = tokenFile(home);
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(tokenBytes).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  return createHash('sha256').update(readFileSync(path, 'utf8').trim()).digest('hex');
}
