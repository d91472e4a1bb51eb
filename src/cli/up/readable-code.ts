import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SwiftletError } from '../../model/errors.ts';

const readByAll = 0o004;
const enterByAll = 0o005;
const permissionBits = 0o777;

/**
 * Refuses code that the roles cannot read once they have given up root: what a strict umask leaves is told here, with its remedy,
 * and not by a module that a role cannot find. Looks two folders deep, as a umask is the same for all of a checkout.
 * @throws SwiftletError Unavailable
 */
export function demandReadableCode(root: string): void {
  const closed = [root, process.execPath, ...below(root), ...below(join(root, 'node_modules'))].find((path) => !isReadableByAll(path));
  if (closed === undefined) return;
  const mode = (statSync(closed).mode & permissionBits).toString(8).padStart(4, '0');
  throw new SwiftletError(
    'Unavailable',
    `Swiftlet's roles run as users of their own and cannot read ${closed} (mode ${mode}), as after an installation with a strict umask; make its code readable: chmod -R go+rX ${root}`,
  );
}

/** @returns nothing for a folder that there is not: an installed package has its dependencies beside it */
function below(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => !entry.name.startsWith('.') && !entry.isSymbolicLink()).map((entry) => join(folder, entry.name));
}

function isReadableByAll(path: string): boolean {
  const stats = statSync(path);
  const wanted = stats.isDirectory() ? enterByAll : readByAll;
  return (stats.mode & wanted) === wanted;
}
