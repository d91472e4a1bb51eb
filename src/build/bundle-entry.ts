import type { BundleLimits } from './bundle-limits.ts';
import { refusal } from './bundle-refusal.ts';

const maxNameBytes = 1024;
const maxSegmentBytes = 255;
/** All names together, so that a guard's memory is bounded whatever the archive holds. */
const maxNamesBytes = 16 * 1024 * 1024;
const specialBits = 0o7000;

export interface BundleFile {
  /** Relative, with `/`. */
  readonly name: string;
  readonly executable: boolean;
  readonly size: number;
}

/** What is known of an entry before its content, as tar-stream tells it. */
export interface EntryHead {
  readonly name: string;
  readonly type?: string | null | undefined;
  readonly mode: number;
  readonly size: number;
}

/**
 * Decides on a bundle's entries, one after the other.
 * @returns a function that gives the file of an entry, or undefined for a folder, and throws SwiftletError BundleRejected
 */
export function entryGuard(limits: BundleLimits): (head: EntryHead) => BundleFile | undefined {
  const names = nameRegister(limits.entries);
  let count = 0;
  return ({ name: raw, type, mode, size }) => {
    count += 1;
    if (count > limits.entries) throw tooMany(limits.entries);
    if (type !== 'file' && type !== 'directory')
      throw refusal(raw, `it is a ${type ?? 'thing of an unknown kind'}`, 'only files and folders are allowed');
    const name = raw.replace(/^\.\//, '').replace(/\/$/, '');
    if (type === 'directory' && (name === '' || name === '.')) return undefined;
    const fault = nameFault(name);
    if (fault !== undefined) throw refusal(raw, fault, 'use plain relative names');
    if ((mode & specialBits) !== 0) throw refusal(raw, 'it has a setuid, setgid or sticky bit', 'remove the bit');
    if (size > limits.unpackedBytes) throw refusal(raw, `it is over ${limits.unpackedBytes} bytes`, 'leave it out');
    names(name, type);
    return type === 'directory' ? undefined : { name, executable: (mode & 0o111) !== 0, size };
  };
}

function nameFault(name: string): string | undefined {
  if (name === '') return 'it has no name';
  if (name.startsWith('/')) return 'its name is absolute';
  if (/[\p{Cc}\\]/u.test(name)) return 'its name has a control character or a backslash';
  if (name.includes('\ufffd')) return 'its name is not UTF-8';
  if (Buffer.byteLength(name) > maxNameBytes) return `its name is over ${maxNameBytes} bytes`;
  const segments = name.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return 'its name has an empty, "." or ".." part';
  if (segments.some((segment) => Buffer.byteLength(segment) > maxSegmentBytes))
    return `a part of its name is over ${maxSegmentBytes} bytes`;
  return undefined;
}

/** Remembers every file and every folder, also those that are only implied, and refuses what cannot lie beside them on any file system. */
function nameRegister(limit: number): (name: string, type: 'file' | 'directory') => void {
  const seen = new Map<string, { name: string; type: 'file' | 'directory' }>();
  let bytes = 0;

  const add = (name: string, type: 'file' | 'directory', whole: string) => {
    const folded = name.normalize('NFC').toLowerCase().normalize('NFC');
    const other = seen.get(folded);
    if (other === undefined) {
      bytes += name.length;
      if (seen.size >= limit || bytes > maxNamesBytes) throw tooMany(limit);
      seen.set(folded, { name, type });
      return;
    }
    if (other.name !== name) throw refusal(whole, `"${other.name}" differs from it in case or Unicode form only`, 'rename one of them');
    if (other.type !== type) throw refusal(whole, `"${name}" is both a file and a folder`, 'rename one of them');
    if (type === 'file') throw refusal(whole, 'it is there twice', 'pack it once');
  };

  return (name, type) => {
    for (let cut = name.indexOf('/'); cut !== -1; cut = name.indexOf('/', cut + 1)) add(name.slice(0, cut), 'directory', name);
    add(name, type, name);
  };
}

export const tooMany = (limit: number) => refusal('', `it has over ${limit} files and folders`, 'bundle the code into fewer files');
