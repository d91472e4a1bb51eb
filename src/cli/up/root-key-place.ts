/** Where the operator keeps the root key: a file, the environment, or what a command prints. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { SwiftletError } from '../../model/errors.ts';
import { type KeyRing, parseKeyRing, rootKey, rootKeyBytes, type RootKeys } from '../../role/root-keys.ts';

/** What the operator said of it. */
export type RootKeyPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly text: string }
  | { readonly kind: 'command'; readonly command: string };

export const rootKeyVariable = 'SWIFTLET_ROOT_KEY';

const run = promisify(execFile);
const commandLimitMs = 15_000;
const maxOutputBytes = 64 * 1024;
const forOthers = 0o077;

/** @throws SwiftletError Unavailable, when it is asked for keys and there are none */
export function openRootKeys(place: RootKeyPlace): RootKeys {
  switch (place.kind) {
    case 'file':
      return fileKeys(place.path);
    case 'environment':
      return givenKeys(
        () => Promise.resolve(parseKeyRing(place.text, 'environment', rootKeyVariable)),
        `put a new key in front of the old one in ${rootKeyVariable}, with a comma between, and start Swiftlet again: it wraps all secrets with the first one`,
      );
    case 'command':
      return givenKeys(
        () => printedKeys(place.command),
        'have the command print a new key in front of the old one, and ask again: all secrets are wrapped with the first one',
      );
  }
}

/** Keys that are others' to make. A ring that has a newer key already is taken for what was asked for. */
const givenKeys = (read: () => Promise<KeyRing>, remedy: string): RootKeys => ({
  read,
  async add() {
    const ring = await read();
    if (ring.keys.length > 1) return ring;
    throw new SwiftletError('BadRequest', `the root key comes from elsewhere, so that Swiftlet makes none: ${remedy}`);
  },
  dropOld: () => Promise.resolve(),
});

async function printedKeys(command: string): Promise<KeyRing> {
  try {
    const { stdout } = await run('/bin/sh', ['-c', command], { timeout: commandLimitMs, maxBuffer: maxOutputBytes });
    return parseKeyRing(stdout, 'command', 'what the command of SWIFTLET_ROOT_KEY_COMMAND prints');
  } catch (error) {
    if (error instanceof SwiftletError) throw error;
    // What it printed may be half a key: of its failure nothing but the code is told.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new SwiftletError('Unavailable', `the command of SWIFTLET_ROOT_KEY_COMMAND failed (${code}); run it by hand to see why`);
  }
}

function fileKeys(path: string): RootKeys {
  const read = () => {
    if (!existsSync(path)) write(path, [randomBytes(rootKeyBytes)]);
    demandPrivate(path);
    return parseKeyRing(readFileSync(path, 'utf8'), 'file', path);
  };
  const bytesOf = ({ keys }: KeyRing) => keys.map(({ bytes }) => bytes);
  return {
    read: () => turn(read),
    add: () =>
      turn(() => {
        const { source, keys } = read();
        const made = rootKey(randomBytes(rootKeyBytes));
        write(path, [made.bytes, ...bytesOf({ source, keys })]);
        return { source, keys: [made, ...keys] };
      }),
    dropOld: () => turn(() => write(path, bytesOf(read()).slice(0, 1))),
  };
}

const turn = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work());
  });

/** @throws SwiftletError Unavailable when somebody else may read it */
function demandPrivate(path: string): void {
  const { mode, uid } = statSync(path);
  if ((mode & forOthers) === 0 && (uid === process.getuid?.() || uid === 0)) return;
  throw new SwiftletError(
    'Unavailable',
    `the root key ${path} is open to others than its owner; take it from them, and rotate it if they may have read it: chown root ${path} && chmod 600 ${path}`,
  );
}

/** As a whole or not at all: without it no secret can be read again. */
function write(path: string, keys: readonly Buffer[]): void {
  const staged = `${path}.new`;
  rmSync(staged, { force: true });
  const file = openSync(staged, 'wx', 0o600);
  try {
    writeSync(file, keys.map((key) => `${key.toString('hex')}\n`).join(''));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(staged, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
