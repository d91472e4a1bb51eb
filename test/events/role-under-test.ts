/** The events role as a process of its own, in a folder that goes. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { roleConfigVariable } from '../../src/role/role-config.ts';
import { configIn } from '../control/control-under-test.ts';

const main = fileURLToPath(new URL('../../src/events/main.ts', import.meta.url));

/** Resolves when it serves. @throws Error when it fails */
export async function startRole(t: TestContext, folder: string): Promise<ChildProcess> {
  for (const part of ['run/events', 'events']) mkdirSync(join(folder, part), { recursive: true });
  const child = fork(main, {
    cwd: join(folder, 'events'),
    env: { ...process.env, [roleConfigVariable]: JSON.stringify({ ...configIn(folder), role: 'events' }), SWIFTLET_LOG_LEVEL: 'silent' },
  });
  t.after(() => child.kill('SIGKILL'));
  const [news] = (await once(child, 'message')) as [{ news: string; message?: string }];
  if (news.news !== 'ready') throw new Error(news.message ?? 'it failed');
  return child;
}
