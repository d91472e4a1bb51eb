import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** How a program ended. */
export type Ran =
  | { readonly kind: 'exited'; readonly code: number; readonly said: string; readonly printed: string }
  | { readonly kind: 'too slow' }
  | { readonly kind: 'missing' };

const limitMs = 300_000;
export const limitSeconds = limitMs / 1_000;

/**
 * Runs a program for a deploy. Resolves, or rejects, only when it has ended: until then it may write.
 * @returns what it printed, and what it said on its standard error
 * @throws the signal's reason when that ends it
 */
export async function runProgram(
  program: string,
  argument: readonly string[],
  { cwd, env = {}, signal }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<Ran> {
  signal.throwIfAborted();
  const child = spawn(program, argument, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => child.kill();
  const limit = setTimeout(end, limitMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [printed, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    signal.throwIfAborted();
    return code === null ? { kind: 'too slow' } : { kind: 'exited', code, said, printed };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'missing' };
    throw error;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', end);
  }
}
