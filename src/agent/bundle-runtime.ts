/** One file of a runtime's many: loading modules one by one costs a start from an empty pool 8 ms, and each sandbox 2 MB. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, stop } from 'esbuild';

/** Loaded as files of their own, as a function's are; see runtimes/node/prepare.mjs. */
const rehearsals = ['rehearsal.cjs', 'rehearsal.mjs'];

/**
 * Writes a runtime for Node.js as `boot.cjs`, and what it rehearses with beside it.
 * @param source the folder of the runtime's modules, with `boot.mjs`
 * @param target a folder; made when it is missing
 * @throws Error when the modules cannot be read or the folder cannot be written
 */
export async function bundleRuntime(source: string, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  await build({
    entryPoints: [join(source, 'boot.mjs')],
    outfile: join(target, 'boot.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    charset: 'utf8',
    external: rehearsals.map((name) => `./${name}`),
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    logLevel: 'silent',
  });
  // Its process would live as long as this one.
  await stop();
  for (const name of rehearsals) cpSync(join(source, name), join(target, name));
}
