/** One file of a runtime's many: loading modules one by one costs a start from an empty pool 8 ms, and each sandbox 2 MB. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, stop } from 'esbuild';

const settings = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  charset: 'utf8',
  logLevel: 'silent',
} as const satisfies BuildOptions;

/** Modules of a runtime that are files of their own, beside its one. */
export interface BesideBoot {
  /** As they lie in its folder. */
  readonly copied: readonly string[];
  /** Each in one with the libraries that it imports. */
  readonly bundled: readonly string[];
}

const noneBeside: BesideBoot = { copied: [], bundled: [] };

/**
 * Writes a runtime that runs on Node.js as `boot.cjs`.
 * @param source the folder of the runtime's modules, with `boot.mjs`
 * @param target a folder; made when it is missing
 * @throws Error when the modules cannot be read or the folder cannot be written
 */
export async function bundleRuntime(source: string, target: string, beside: BesideBoot = noneBeside): Promise<void> {
  mkdirSync(target, { recursive: true });
  const boot = build({
    ...settings,
    entryPoints: [join(source, 'boot.mjs')],
    outfile: join(target, 'boot.cjs'),
    format: 'cjs',
    external: [...beside.copied, ...beside.bundled].map((name) => `./${name}`),
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  });
  const others = build({
    ...settings,
    entryPoints: beside.bundled.map((name) => join(source, name)),
    outdir: target,
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    // The libraries may be CommonJS.
    banner: { js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);" },
  });
  await Promise.all([boot, others]);
  // Its process would live as long as this one.
  await stop();
  for (const name of beside.copied) cpSync(join(source, name), join(target, name));
}
