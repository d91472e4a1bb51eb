/**
 * File-system images: made of folders by this host, and mounted read-only where the folder was. What is in one is read, and decompressed, when
 * somebody reads it. Root only. Source: mksquashfs(1), mkfs.erofs(1), mount(8).
 */
import { execFile } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { promisify } from 'node:util';
import { type ImageKind, imageKinds } from '../../model/artifact-format.ts';
import { unmount } from './libc.ts';
import { isExecutable } from './is-executable.ts';

/** What is made of images, and taken away again. */
export interface Images {
  /** Those that can be made and mounted here, the best first. */
  readonly kinds: readonly ImageKind[];
  /** The same folder gives the same bytes. @param signal gives it up @throws Error with what the program said, or the signal's reason */
  make(kind: ImageKind, folder: string, file: string, signal: AbortSignal): Promise<void>;
  /** @throws Error when the kernel refuses it */
  mount(kind: ImageKind, file: string, place: string): Promise<void>;
  /** Shows a folder also in another place. */
  bind(folder: string, place: string): Promise<void>;
  /** Takes away what is mounted at a place and below it; what is open there stays so. */
  unmount(place: string): void;
  /** The same of what is below it alone: at the place itself may be somebody's disk. */
  unmountBelow(folder: string): void;
}

const run = promisify(execFile);
const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const tools = { env: { PATH: folders.join(':') }, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 };
const noTimes = '0';
const noId = '00000000-0000-0000-0000-000000000000';

/** What makes each, and the package of Debian that has it. */
const makers: Readonly<
  Record<ImageKind, { readonly program: string; readonly package: string; readonly argument: (folder: string, file: string) => string[] }>
> = {
  erofs: {
    program: 'mkfs.erofs',
    package: 'erofs-utils',
    argument: (folder, file) => ['--quiet', '-zlz4', '--all-root', '-x-1', `-T${noTimes}`, `-U${noId}`, file, folder],
  },
  squashfs: {
    program: 'mksquashfs',
    package: 'squashfs-tools',
    argument: (folder, file) => [
      ...[folder, file, '-noappend', '-quiet', '-no-progress', '-comp', 'zstd', '-Xcompression-level', '3', '-processors', '1'],
      ...['-all-root', '-no-xattrs', '-no-exports', '-mkfs-time', noTimes, '-all-time', noTimes],
    ],
  },
};

/** Whether a kind can be used here, and what is missing. */
export interface ImageFact {
  readonly kind: ImageKind;
  /** Absent: it can be used. */
  readonly missing?: { readonly detail: string; readonly remedy: string };
}

/** What this host has for images. */
export function inspectImages(isThere: (path: string) => boolean = isExecutable, kernel = readKernel()): ImageFact[] {
  return imageKinds.map((kind) => {
    const maker = makers[kind];
    if (!folders.some((folder) => isThere(`${folder}/${maker.program}`)))
      return { kind, missing: { detail: `${maker.program} is not installed`, remedy: `as root: apt-get install -y ${maker.package}` } };
    if (!kernel.includes(kind))
      return { kind, missing: { detail: `this kernel knows no ${kind}`, remedy: `as root: modprobe ${kind}, or a kernel that has it` } };
    if (!isThere('/dev/loop-control') && !hasLoop())
      return {
        kind,
        missing: { detail: 'there are no loop devices', remedy: 'as root: modprobe loop, or let the container have /dev/loop*' },
      };
    return { kind };
  });
}

/** @param isPrivileged whether this process may mount */
export const openImages = (isPrivileged: boolean): Images => ({
  kinds: isPrivileged ? inspectImages().flatMap(({ kind, missing }) => (missing === undefined ? [kind] : [])) : [],
  make: async (kind, folder, file, signal) => {
    const { program, argument } = makers[kind];
    // It has nothing to put in order: what it wrote is removed.
    await run(program, argument(folder, file), { ...tools, signal, killSignal: 'SIGKILL' }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error;
    });
  },
  mount: async (kind, file, place) => {
    await run('mount', ['-t', kind, '-o', 'loop,ro,nosuid,nodev', file, place], tools);
  },
  bind: async (folder, place) => {
    await run('mount', ['--bind', folder, place], tools);
  },
  unmount: (place) => {
    for (const mounted of mountsIn(place)) unmount(mounted);
  },
  unmountBelow: (folder) => {
    for (const mounted of mountsIn(folder)) if (mounted !== realPath(folder)) unmount(mounted);
  },
});

/** Places at and below a folder where something is mounted, the last one first. Source: proc_pid_mountinfo(5). */
function mountsIn(folder: string): string[] {
  const places = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((place) => place.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  const real = realPath(folder);
  return places.filter((place) => place === real || place.startsWith(`${real}/`)).toReversed();
}

/** As the kernel tells it; one that is not there has nothing mounted in it. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

const readKernel = (): string[] =>
  readFileSync('/proc/filesystems', 'utf8')
    .split('\n')
    .map((line) => line.split('\t')[1] ?? '');

/** A device that is no program, and is there. */
function hasLoop(): boolean {
  try {
    return readFileSync('/proc/devices', 'utf8').includes(' loop\n');
  } catch {
    return false;
  }
}
