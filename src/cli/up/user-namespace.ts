/** Rights over networks of one's own, for a user who is not root: a user namespace, in which the whole platform runs. */
import { hasOwnNamespace, keepRights } from '../../agent/linux/capabilities.ts';
import { makeOwn } from './folders.ts';
import { unshareRights } from '../../agent/network/user/programs.ts';

/**
 * Goes on in a user namespace: this process begins anew in it, under its number, with its arguments. Does nothing when it is in one.
 * @param run the run folder @throws SwiftletError Conflict when that lies where others could change it
 */
export function enterUserNamespace(run: string): void {
  if (!hasOwnNamespace()) {
    // Inside nobody can tell root from others.
    makeOwn(run);
    const [program, ...rest] = [...unshareRights, '--', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    process.execve?.(program, [program, ...rest], process.env);
  }
  keepRights();
}
