import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageFolder } from '../../src/role/package-folder.ts';

const main = join(packageFolder, 'src', 'cli', 'main.ts');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as a user does, with nothing but these variables told. @param started sees the process while it runs */
export async function runSwiftlet(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { input = '', cwd = packageFolder, started }: { input?: string; cwd?: string; started?: (child: ChildProcess) => void } = {},
): Promise<Ended> {
  const env = { PATH: process.env['PATH'], ...environment };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { env, cwd });
  child.stdin.end(input);
  started?.(child);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, stdout, stderr };
}
