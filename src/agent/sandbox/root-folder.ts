/** What a sandbox's root holds beside the host's /usr: a generated /etc that tells nothing of the host. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { inside } from './sandbox-driver.ts';

const files: Readonly<Record<string, string>> = {
  passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\nsandbox:x:${inside.uid}:${inside.uid}:sandbox:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
  group: `root:x:0:\nsandbox:x:${inside.uid}:\nnogroup:x:65534:\n`,
  hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'resolv.conf': '',
  hostname: 'sandbox\n',
  'os-release': 'NAME="Swiftlet sandbox"\nID=swiftlet\n',
};

/** Writes the /etc of all sandboxes. @returns its path */
export function writeEtc(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(`${folder}/${name}`, text);
    chmodSync(`${folder}/${name}`, 0o644);
  }
  chmodSync(folder, 0o755);
  return folder;
}

/** Paths of the host that bwrap itself binds, and the empty folders that mounts are hung into later. */
export function rootArguments(): string[] {
  const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const folders = [inside.code, inside.runtime, inside.binFolder, '/etc', '/tmp', '/opt'].flatMap((path) => ['--dir', path]);
  return ['--ro-bind', '/usr', '/usr', ...links, ...folders, '--proc', '/proc', '--dev', '/dev'];
}
