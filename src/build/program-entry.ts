/** What is started of a folder whose function is a program. */
import { accessSync, constants, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { programRuntimeNames, type RuntimeName } from '../model/runtimes.ts';
import type { FolderEntry } from './conventions.ts';

type ProgramRuntimeName = (typeof programRuntimeNames)[number];

export const bootstrapFile = 'bootstrap';
const packageFile = 'package.json';
const packageSchema = z.object({ scripts: z.object({ start: z.string() }) });

export const isProgramRuntime = (runtime: RuntimeName): runtime is ProgramRuntimeName =>
  programRuntimeNames.some((name) => name === runtime);

/**
 * For the Runtime API the file `bootstrap`; for a server what package.json starts; a class in Java has to be named.
 * @throws SwiftletError HandlerNotFound with what was looked for
 */
export function programEntry(folder: string, runtime: ProgramRuntimeName): Promise<FolderEntry> {
  if (runtime === 'java') throw notFound(folder, classUnknown(folder));
  return runtime === 'provided' ? Promise.resolve(bootstrapEntry(folder)) : serverEntry(folder);
}

const classUnknown = (folder: string): string =>
  `nothing says which class in ${folder} takes events; name it in swiftlet.yaml, such as "handler: shop.Orders" or "handler: shop.Orders::place"`;

function bootstrapEntry(folder: string): FolderEntry {
  const path = join(folder, bootstrapFile);
  if (!existsSync(path)) throw notFound(folder, `there is no ${path}, which the runtime provided starts`);
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw notFound(folder, `${path} may not be executed; run "chmod +x ${path}"`);
  }
  return { handler: bootstrapFile, runtime: 'provided' };
}

async function serverEntry(folder: string): Promise<FolderEntry> {
  const path = join(folder, packageFile);
  const parsed = packageSchema.safeParse(existsSync(path) ? jsonOf(path, await readFile(path, 'utf8')) : undefined);
  if (parsed.success) return { handler: parsed.data.scripts.start, runtime: 'http' };
  throw notFound(
    folder,
    `nothing says how the server in ${folder} is started; name the command in swiftlet.yaml, such as "handler: node server.js", or as "start" among package.json's scripts`,
  );
}

function jsonOf(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SwiftletError('ManifestInvalid', `${path} is not valid: ${String(error)}`, { cause: error, place: path });
  }
}

const notFound = (place: string, what: string): SwiftletError => new SwiftletError('HandlerNotFound', what, { place });
