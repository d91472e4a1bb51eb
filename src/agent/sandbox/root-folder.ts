/** What a sandbox's root holds beside the host's /usr: a generated /etc that tells nothing of the host. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { inside, librariesOf } from './sandbox-driver.ts';

/** How a sandbox finds out what names mean. */
export interface NameServers {
  readonly server: string;
  readonly searchDomains: readonly string[];
}

/** @param names absent: no name means anything */
const filesOf = (names: NameServers | undefined): Readonly<Record<string, string>> => ({
  passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\nsandbox:x:${inside.uid}:${inside.uid}:sandbox:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
  group: `root:x:0:\nsandbox:x:${inside.uid}:\nnogroup:x:65534:\n`,
  hosts: '127.0.0.1 localhost sandbox sandbox.localdomain\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'resolv.conf': names === undefined ? '' : resolvConf(names),
  hostname: 'sandbox\n',
  'os-release': 'NAME="Swiftlet sandbox"\nID=swiftlet\n',
});

/** The resolver tries again by itself: one question is enough, given the time that takes. */
const resolvConf = ({ server, searchDomains }: NameServers): string =>
  `nameserver ${server}\noptions timeout:6 attempts:1\n${searchDomains.length === 0 ? '' : `search ${searchDomains.join(' ')}\n`}`;

/** Debian's `cc`, `awk` and others in /usr/bin are links to links in this folder. */
const alternatives = '/etc/alternatives';

/** Makes those links that lead to programs of /usr, which every sandbox sees anyway. What is there stays: adopted sandboxes see it. */
function linkPrograms(folder: string): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const made = new Set(readdirSync(folder));
  const links = existsSync(alternatives) ? readdirSync(alternatives, { withFileTypes: true }) : [];
  for (const { name } of links.filter((entry) => entry.isSymbolicLink() && !made.has(entry.name))) {
    const target = readlinkSync(`${alternatives}/${name}`);
    if (/^\/usr\/(?:bin|sbin|lib)\//.test(target)) symlinkSync(target, `${folder}/${name}`);
  }
}

/** Debian's Java reads its settings from there, and does not start without them; they are the same on every machine. */
const javaSettings = /^java-\d+-openjdk$/;

/** Copies what a sandbox may read of a folder of settings: nothing that only the host's root may. */
function copySettings(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o755 });
  for (const { name } of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    const found = statSync(source, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) copySettings(source, target);
    else if (found?.isFile() === true && (found.mode & worldReadable) !== 0 && !existsSync(target)) copyFileSync(source, target);
  }
}

const worldReadable = 0o004;

/** Writes the /etc of all sandboxes. @returns its path */
export function writeEtc(folder: string, names?: NameServers): string {
  mkdirSync(folder, { recursive: true });
  linkPrograms(`${folder}/alternatives`);
  for (const name of readdirSync('/etc').filter((one) => javaSettings.test(one))) copySettings(`/etc/${name}`, `${folder}/${name}`);
  for (const [name, text] of Object.entries(filesOf(names))) {
    writeFileSync(`${folder}/${name}`, text);
    chmodSync(`${folder}/${name}`, 0o644);
  }
  chmodSync(folder, 0o755);
  return folder;
}

/**
 * Paths of the host that bwrap itself binds, and the empty folders that mounts are hung into later.
 * @param interpreterFolder one more of these, where the interpreter is to be
 */
export function rootArguments(interpreterFolder: string = inside.binFolder): string[] {
  const links = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  // Where there is no such folder when a process starts, its loader never looks for libraries there again.
  const folders = [inside.code, inside.runtime, interpreterFolder, '/etc', '/tmp', inside.layers, librariesOf(inside.layers)].flatMap(
    (path) => ['--dir', path],
  );
  return ['--ro-bind', '/usr', '/usr', ...links, ...folders, '--proc', '/proc', '--dev', '/dev'];
}
