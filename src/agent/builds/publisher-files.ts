/** What the sandbox that bundles is shown: its two programs, and esbuild. */
import { chmod, cp, mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, stop } from 'esbuild';
import { packageFolder } from '../../role/package-folder.ts';

const programs = { boot: 'publish.mjs', compile: 'compile-code.mjs' } as const;
/** What the code to be compiled is given in the place of Google's. */
const framework = 'functions-framework.cjs';
const require = createRequire(import.meta.url);

/**
 * Made anew by each agent.
 * @param folder of the agent's own; made when it is missing
 * @returns the folder to show
 * @throws Error when esbuild is not installed beside us, or the folder cannot be written
 */
export async function preparePublisher(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'esbuild', 'lib'), { recursive: true });
  await cp(require.resolve('esbuild'), join(folder, 'esbuild', 'lib', 'main.js'));
  await cp(esbuildProgram(), join(folder, 'esbuild', 'bin'));
  for (const [name, source] of Object.entries(programs)) {
    await build({
      entryPoints: [join(packageFolder, 'runtimes', 'node', source)],
      outfile: join(folder, `${name}.cjs`),
      bundle: true,
      platform: 'node',
      target: 'node22',
      format: 'cjs',
      charset: 'utf8',
      define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
      logLevel: 'silent',
    });
    await chmod(join(folder, `${name}.cjs`), 0o644);
  }
  await cp(join(packageFolder, 'runtimes', 'node', framework), join(folder, framework));
  await chmod(join(folder, framework), 0o644);
  // Its process would live as long as this one.
  await stop();
  await Promise.all([folder, join(folder, 'esbuild'), join(folder, 'esbuild', 'lib')].map((path) => chmod(path, 0o755)));
  await chmod(join(folder, 'esbuild', 'lib', 'main.js'), 0o644);
  await chmod(join(folder, 'esbuild', 'bin'), 0o755);
  return folder;
}

/** The package of this machine has the program. */
function esbuildProgram(): string {
  const own = createRequire(require.resolve('esbuild'));
  return join(dirname(own.resolve(`@esbuild/${process.platform}-${process.arch}/package.json`)), 'bin', 'esbuild');
}
