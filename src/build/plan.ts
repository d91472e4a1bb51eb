/** What is to be deployed from a folder: its manifest's functions, or the one that convention finds in it. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { type FunctionConfig, functionConfigSchema } from '../model/function.ts';
import { handlerOfFolder, nameOfFolder } from './conventions.ts';
import { manifestName, readManifest } from './manifest.ts';
import type { FunctionEntry, Manifest } from './manifest-schema.ts';

/** One function to be built and published. */
export interface PlannedFunction {
  readonly name: string;
  readonly source: string;
  readonly config: FunctionConfig;
  readonly build: { readonly install: boolean; readonly include: readonly string[]; readonly exclude: readonly string[] };
}

/** @throws SwiftletError with the place and the remedy */
export async function planFolder(folder: string): Promise<PlannedFunction[]> {
  const root = resolve(folder);
  if (!existsSync(root)) throw new SwiftletError('NotFound', `there is no folder ${root}`);
  const path = join(root, manifestName);
  if (!existsSync(path)) return [await planEntry(nameOfFolder(root), root, root, {}, {})];
  const manifest = await readManifest(path);
  const entries = Object.entries(manifest.functions);
  if (entries.length === 0) throw new SwiftletError('ManifestInvalid', `${manifestName} names no functions`, { place: manifestName });
  return Promise.all(
    entries.map(([name, entry]) => planEntry(name, root, sourceOf(root, name, entry?.source), manifest.defaults ?? {}, entry ?? {})),
  );
}

function sourceOf(root: string, name: string, source: string | undefined): string {
  if (source === undefined) return existsSync(join(root, name)) ? join(root, name) : root;
  const path = resolve(root, source);
  if (!existsSync(path))
    throw new SwiftletError('ManifestInvalid', `functions.${name}.source: there is no folder ${path}`, {
      place: `functions.${name}.source`,
    });
  return path;
}

async function planEntry(
  name: string,
  root: string,
  source: string,
  defaults: NonNullable<Manifest['defaults']>,
  entry: FunctionEntry,
): Promise<PlannedFunction> {
  const settings = {
    ...defaults,
    ...entry,
    environment: { ...defaults.environment, ...entry.environment },
    queue: { ...defaults.queue, ...entry.queue },
    build: { ...defaults.build, ...entry.build },
  };
  const input: z.input<typeof functionConfigSchema> = {
    runtime: settings.runtime,
    handler: settings.handler ?? (await handlerOfFolder(source)),
    memoryMiB: settings.memory,
    timeoutMs: settings.timeout,
    initTimeoutMs: settings.initTimeout,
    environment: Object.fromEntries(Object.entries(settings.environment).map(([key, value]) => [key, String(value)])),
    concurrency: settings.concurrency,
    minimum: settings.minimum,
    maximum: settings.maximum,
    idleMs: settings.idle,
    queueLength: settings.queue.length,
    queueTimeoutMs: settings.queue.timeout,
  };
  const parsed = functionConfigSchema.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = `functions.${name}.${issue?.path.map(String).join('.') ?? ''}`;
    throw new SwiftletError('ManifestInvalid', `${manifestName}: ${place}: ${issue?.message ?? 'is not valid'}`, { place });
  }
  const { install = 'auto', include = [], exclude = [] } = settings.build;
  // A function that shares its folder with others is not told of them, nor of the manifest.
  return {
    name,
    source,
    config: parsed.data,
    build: { install: install === 'auto', include, exclude: source === root ? [manifestName, ...exclude] : exclude },
  };
}
