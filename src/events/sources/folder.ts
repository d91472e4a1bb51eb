/** Files of a folder on the platform's host: created, changed, removed. */
import { watch } from 'node:fs';
import { lstat, opendir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { SwiftletError } from '../../model/errors.ts';
import type { FolderSource as FolderSettings } from '../../model/sources/folder.ts';
import { errorCode, sourceFault } from './fault.ts';
import { compareKeys, type ListedObject } from './object-changes.ts';
import { type ObjectPlace, openObjectSource } from './object-source.ts';
import type { SourceKind, SourceMeans } from './source.ts';

/** They are sorted in memory. */
const mostInOneFolder = 100_000;

export const sourceKind: SourceKind<FolderSettings> = {
  driver: (settings, means) => ({
    keepsMessages: true,
    dataKey: undefined,
    async open(signal) {
      signal.throwIfAborted();
      const folder = await allowedFolder(settings, means);
      return openObjectSource(placeOf(settings, folder), settings.pollMs, means, signal);
    },
    eventOf: (messages) => ({ Records: messages.map((message) => message.record()) }),
  }),
};

/** What a link says counts as what it leads to. @returns the folder @throws SwiftletError */
async function allowedFolder({ path }: FolderSettings, { local }: SourceMeans): Promise<string> {
  try {
    const folder = await realpath(path);
    const roots = await Promise.all((local?.folders ?? []).map((root) => realpath(root).catch(() => undefined)));
    if (roots.some((root) => root !== undefined && (folder === root || folder.startsWith(root === '/' ? root : `${root}/`)))) return folder;
  } catch (error) {
    throw faultOf(path, error);
  }
  throw new SwiftletError('SourceRefused', `${path} is not to be watched; the operator can allow it with SWIFTLET_SOURCE_FOLDERS`);
}

const placeOf = ({ path, settleMs }: FolderSettings, folder: string): ObjectPlace => ({
  kind: 'folder',
  name: path,
  identity: path,
  tickMs: 1,
  async *list(signal) {
    try {
      yield* filesBelow(folder, '', Date.now() - settleMs, signal);
    } catch (error) {
      throw faultOf(path, error);
    }
  },
  watch(changed) {
    try {
      // A file that was still being written has to be looked at again when it is at rest.
      const later = () => setTimeout(changed, settleMs + 1).unref();
      const watcher = watch(folder, { recursive: true }, later);
      watcher.on('error', () => watcher.close());
      return { [Symbol.dispose]: () => watcher.close() };
    } catch {
      // There are too many for the system to watch: they are found when they are looked for.
      return undefined;
    }
  },
});

/** In the order of keys. Hidden ones, and what is no file, do not count; those changed after the moment are not at rest. */
async function* filesBelow(folder: string, prefix: string, untilMs: number, signal: AbortSignal): AsyncGenerator<ListedObject> {
  for (const name of await namesIn(folder, prefix === '')) {
    if (signal.aborted) return;
    const path = join(folder, name);
    if (name.endsWith('/')) yield* filesBelow(path, `${prefix}${name}`, untilMs, signal);
    else {
      const object = await fileAt(path, `${prefix}${name}`);
      if (object !== undefined) yield { ...object, isAtRest: object.modifiedMs <= untilMs };
    }
  }
}

/** Folders with a slash behind them: so they stand where what is in them stands. */
async function namesIn(folder: string, isWatched: boolean): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) names.push(`${entry.name}/`);
      else if (entry.isFile()) names.push(entry.name);
      if (names.length > mostInOneFolder)
        throw new SwiftletError('SourceInvalid', `${folder} has more than ${mostInOneFolder} files; move away what was dealt with`);
    }
  } catch (error) {
    // A folder within may go while it is looked through. When the watched one itself is gone, its files are not all removed.
    if (isWatched || errorCode(error) !== 'ENOENT') throw error;
  }
  return names.sort(compareKeys);
}

async function fileAt(path: string, key: string): Promise<Omit<ListedObject, 'isAtRest'> | undefined> {
  try {
    const { size, mtimeMs, ino } = await lstat(path);
    return {
      key,
      mark: `${ino.toString(36)}-${size.toString(36)}-${Math.round(mtimeMs * 1_000).toString(36)}`,
      bytes: size,
      modifiedMs: Math.floor(mtimeMs),
    };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function faultOf(path: string, error: unknown): SwiftletError {
  if (error instanceof SwiftletError) return error;
  switch (errorCode(error)) {
    case 'ENOENT':
      return sourceFault('SourceMissing', `the folder ${path} is not there`, error);
    case 'ENOTDIR':
      return sourceFault('SourceInvalid', `${path} is no folder`, error);
    case 'EACCES':
    case 'EPERM':
      return sourceFault('SourceRefused', `the events role may not read ${path}`, error, 'let others read it, or its user');
    case undefined:
    default:
      return sourceFault('SourceUnreachable', `${path} cannot be read`, error);
  }
}
