/** What decides which dependencies are installed. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { z } from 'zod';
import { readBundle } from '../../build/bundle.ts';
import { installationOf } from '../../build/installation.ts';
import { SwiftletError } from '../../model/errors.ts';
import { buildInputBytes, buildInputsBytes } from '../../model/limits.ts';
import type { BuildRuntimeName } from '../../model/runtimes.ts';

/** Files by path, in base64. */
export type BuildInputs = Readonly<Record<string, string>>;

/** @throws SwiftletError BadRequest when nothing says what to install, or it is too large */
export async function readInputs(source: Readable, runtime: BuildRuntimeName): Promise<BuildInputs> {
  const installation = installationOf(runtime);
  const found = new Map<string, Buffer>();
  let left = buildInputsBytes;
  await readBundle(source, async ({ name, size }, content) => {
    if (!installation.mayDecide(name)) {
      await finished(Readable.from(content).resume());
      return;
    }
    const limit = installation.isOnlyForIt(name) ? buildInputsBytes : buildInputBytes;
    left -= size;
    if (size > limit) throw refused(`${name} is over ${limit} bytes`);
    if (left < 0) throw refused(`what says which dependencies are installed is over ${buildInputsBytes} bytes`);
    found.set(name, Buffer.concat(await Array.fromAsync(content)));
  });
  const inputs = installation.inputs(found);
  if (inputs.length === 0) throw refused(`the source lacks ${installation.needs}`);
  return Object.fromEntries(inputs.map((name) => [name, found.get(name)?.toString('base64') ?? '']));
}

const refused = (what: string): SwiftletError => new SwiftletError('BadRequest', what, { place: 'source' });

export interface BuildSettings {
  readonly runtime: BuildRuntimeName;
  readonly scripts: boolean;
  readonly registries: readonly string[];
  /** Of those who install: ours, the kind of processor, and the interpreter where it is the host's. */
  readonly builder: string;
}

/** Dependencies with the same key are the same. */
export function keyOf(inputs: BuildInputs, { runtime, scripts, registries, builder }: BuildSettings): string {
  return createHash('sha256')
    .update(JSON.stringify([builder, runtime, scripts, registries, Object.entries(inputs).sort()]))
    .digest('hex');
}

const lockfileSchema = z.object({ packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().optional() })) });
const shown = 10;
/** What a package.json may have for itself, too. */
const ownName = 'package.json itself';

/** The packages with install scripts, by what npm's lockfile says; those that cannot be read have none. */
export function packagesWithScripts(inputs: BuildInputs): string[] {
  const parsed = lockfileSchema.safeParse(jsonOf(Buffer.from(inputs['package-lock.json'] ?? '', 'base64').toString()));
  if (!parsed.success) return [];
  const paths = Object.entries(parsed.data.packages).flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript === true ? [path === '' ? ownName : path.replace(/^.*node_modules\//, '')] : [],
  );
  return [...new Set(paths)].slice(0, shown);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
