import type { Header } from 'tar-stream';
import { SwiftletError } from '../model/errors.ts';
import { bundle as limits } from '../model/limits.ts';

const maxNameBytes = 1024;
const maxSegmentBytes = 255;
const specialBits = 0o7000;

export interface BundleFile {
  readonly name: string;
  readonly executable: boolean;
  readonly size: number;
}

/**
 * Decides on a bundle's entries, one after the other.
 * @returns a function that gives the file of an entry, or undefined for a folder, and throws SwiftletError BundleRejected
 */
export function entryGuard(): (header: Header) => BundleFile | undefined {
  const seen = new Map<string, string>();
  let count = 0;
  return (header) => {
    const { name, type, mode = 0o644, size = 0 } = header;
    count += 1;
    if (count > limits.entries) throw refusal('', `it has over ${limits.entries} entries`, 'bundle the code into fewer files');
    if (type !== 'file' && type !== 'directory') throw refusal(name, `it is a ${type ?? 'nameless kind of entry'}`, 'only files and folders are allowed');
    const wrong = nameFault(name);
    if (wrong !== undefined) throw refusal(name, wrong, 'use plain relative names');
    if ((mode & specialBits) !== 0) throw refusal(name, 'it has a setuid, setgid or sticky bit', 'remove the bit');
    if (type === 'directory') return undefined;
    const folded = fold(name);
    const other = seen.get(folded);
    if (other !== undefined) throw refusal(name, other === name ? 'it is there twice' : `it differs from "${other}" in case or Unicode form only`, 'rename one of them');
    seen.set(folded, name);
    return { name: name.replace(/^\.\//, ''), executable: (mode & 0o111) !== 0, size };
  };
}

const fold = (name: string): string => name.replace(/^\.\//, '').normalize('NFC').toLowerCase();

function nameFault(raw: string): string | undefined {
  const name = raw.replace(/^\.\//, '').replace(/\/$/, '');
  if (name === '' || name === '.') return raw.endsWith('/') || raw === '.' ? undefined : 'it has no name';
  if (name.startsWith('/')) return 'its name is absolute';
  // biome-ignore lint: control characters are what is looked for
  if (/[\u0000-\u001f\u007f\\]/.test(name)) return 'its name has a control character or a backslash';
  if (Buffer.byteLength(name) > maxNameBytes) return `its name is over ${maxNameBytes} bytes`;
  const segments = name.split('/');
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return 'its name has an empty, "." or ".." part';
  if (segments.some((segment) => Buffer.byteLength(segment) > maxSegmentBytes)) return `a part of its name is over ${maxSegmentBytes} bytes`;
  return undefined;
}

const refusal = (name: string, reason: string, remedy: string): SwiftletError =>
  new SwiftletError('BundleRejected', `the bundle${name === '' ? '' : `'s entry ${JSON.stringify(name.slice(0, 200))}`} is refused: ${reason}; ${remedy}`, name === '' ? {} : { place: name.slice(0, 200) });
