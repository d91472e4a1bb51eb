/** Programs that tests build from Go modules, once: servers that Debian has not, or not new enough, and functions. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findGo } from './go.ts';

/** Beside what else is installed, and thrown away with it. */
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/swiftlet', import.meta.url));
const buildLimitMs = 200_000;
/** C is not needed, and so no compiler of it. */
const buildEnvironment = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };

/**
 * @param folder with a module that pins the program and all that it is made of
 * @param importPath of the program
 * @returns the path of the program, which is built when it is not there
 * @throws Error when Go is missing or the build failed
 */
export async function goProgram(folder: URL, importPath: string): Promise<string> {
  const moduleFolder = fileURLToPath(folder);
  const sum = createHash('sha256');
  for (const name of readdirSync(moduleFolder).sort()) sum.update(readFileSync(join(moduleFolder, name)));
  const path = join(cacheFolder, `${basename(moduleFolder)}-${sum.digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return path;
  mkdirSync(cacheFolder, { recursive: true });
  // Two that build it at once do not see each other's half.
  const made = `${path}.${process.pid}`;
  const go = await findGo(cacheFolder);
  await promisify(execFile)(go.path, ['build', '-trimpath', '-ldflags=-s -w', '-o', made, importPath], {
    cwd: moduleFolder,
    env: { ...process.env, ...buildEnvironment, ...go.environment },
    timeout: buildLimitMs,
  });
  renameSync(made, path);
  return path;
}
