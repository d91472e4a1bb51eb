import { chownSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Replaces a file at once, for its owner only: nobody finds half of it, nor can read it for a moment. */
export function writePrivately(path: string, text: string, owner?: { readonly uid: number; readonly gid: number }): void {
  const staging = `${path}.new`;
  rmSync(staging, { force: true });
  writeFileSync(staging, text, { mode: 0o600, flag: 'wx' });
  if (owner !== undefined) chownSync(staging, owner.uid, owner.gid);
  renameSync(staging, path);
}
