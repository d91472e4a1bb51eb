/** What the sandbox that archives classes is shown: its program, and the runtime at the path at which instances have it. */
import { chmod, cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build, stop } from 'esbuild';
import { packageFolder } from '../../role/package-folder.ts';
import type { JavaRuntime } from '../runtimes/java-runtime.ts';

/**
 * Made anew by each agent.
 * @param folder of the agent's own; made when it is missing
 * @returns the folder to show
 * @throws SwiftletError RuntimeUnknown; Error when the folder cannot be written
 */
export async function prepareJavaPublisher(folder: string, java: JavaRuntime): Promise<string> {
  await java.ready();
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [join(packageFolder, 'runtimes', 'program', 'publish-java.mjs')],
    outfile: join(folder, 'boot.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    charset: 'utf8',
    define: { 'import.meta.dirname': '__dirname' },
    logLevel: 'silent',
  });
  // Its process would live as long as this one.
  await stop();
  // An archive is for a jar of that time.
  await cp(java.folder, join(folder, 'java'), { recursive: true, preserveTimestamps: true });
  await Promise.all([folder, join(folder, 'java')].map((path) => chmod(path, 0o755)));
  await chmod(join(folder, 'boot.cjs'), 0o644);
  return folder;
}
