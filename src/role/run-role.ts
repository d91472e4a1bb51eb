/** The life of a role's process: parse the configuration, give up rights, start, say so, and stop when told to or when orphaned. */
import { chmodSync, chownSync, rmSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import { z } from 'zod';
import { keepCompiled } from './compiled-code.ts';
import { calledRole, type RoleConfig, roleConfigSchema, roleConfigVariable } from './role-config.ts';

/** A running role, as its `main` returns it. */
export interface RunningRole {
  /**
   * Not ready → drain → abort → kill. Resolves when nothing of the role is left.
   * @param graceOver aborts when what is under way has had its time
   */
  stop(graceOver: AbortSignal): Promise<void>;
  /**
   * For a role that holds what outlives its process: resolves when this process may end, and its successor take over all that it holds. Absent: it
   * stops. When it is told to stop meanwhile, it stops.
   * @param graceOver aborts when what is under way has had its time
   */
  leave?(graceOver: AbortSignal): Promise<void>;
}

/** Supervisor → role. */
export const roleOrderSchema = z.object({ order: z.literal('stop'), graceMs: z.number() });
export type RoleOrder = z.output<typeof roleOrderSchema>;
/** Role → supervisor. */
export const roleNewsSchema = z.discriminatedUnion('news', [
  z.object({ news: z.literal('ready') }),
  z.object({ news: z.literal('failed'), code: z.string(), message: z.string() }),
]);
export type RoleNews = z.output<typeof roleNewsSchema>;

/**
 * Runs a role in this process until the supervisor tells it to stop or goes away.
 * @param start makes the role; it is called once, with the rights already given up
 * @param load loads what the role needs of code beside itself, while it may still read everything
 */
export async function runRole(
  start: (config: RoleConfig, log: Logger) => Promise<RunningRole>,
  load: (config: RoleConfig) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const config = roleConfigSchema.parse(JSON.parse(process.env[roleConfigVariable] ?? 'null'));
  Reflect.deleteProperty(process.env, roleConfigVariable);
  process.title = `swiftlet ${calledRole(config)}`;
  const output = pino.destination(2);
  // A terminal that was closed takes no more lines; that is no reason to fail.
  output.on('error', () => undefined);
  const log = pino({ level: process.env['SWIFTLET_LOG_LEVEL'] ?? 'info', base: { role: calledRole(config) } }, output);
  // Ctrl-C and a closed terminal reach the whole process group; the supervisor alone decides what they mean.
  for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
  await load(config);
  keepCompiled();
  giveUpRights(config);
  try {
    const running = await start(config, log);
    let stopping: Promise<void> | undefined;
    let leaving: Promise<void> | undefined;
    const graceOver = new AbortController();
    // Of several orders the one with the least time counts.
    const stop = (graceMs: number) => {
      if (graceMs > 0) setTimeout(() => graceOver.abort(), graceMs);
      else graceOver.abort();
      stopping ??= running.stop(graceOver.signal).then(
        () => process.exit(0),
        (error: unknown) => {
          log.error({ err: error }, 'could not stop cleanly');
          process.exit(1);
        },
      );
    };
    process.on('message', (message) => {
      const order = roleOrderSchema.safeParse(message);
      if (order.success) stop(order.data.graceMs);
    });
    // Of the supervisor's come orders; a signal is for this process alone, and another one comes in its place.
    process.on('SIGTERM', () => {
      if (running.leave === undefined || !process.connected) {
        stop(config.graceMs);
        return;
      }
      leaving ??= running.leave(AbortSignal.timeout(config.graceMs)).then(() => {
        if (stopping === undefined) process.exit(0);
      });
    });
    process.once('disconnect', () => {
      stop(0);
    });
    if (!process.connected) stop(0);
    tell({ news: 'ready' });
  } catch (error) {
    log.error({ err: error }, 'could not start');
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'Internal';
    tell({ news: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}

function tell(news: RoleNews): void {
  // A supervisor that is gone hears nothing; this process ends by its own account then.
  if (process.connected) process.send?.(news, undefined, undefined, () => undefined);
}

function giveUpRights({ identity, group }: RoleConfig): void {
  if (identity === undefined) return;
  process.setgroups?.(group === undefined ? [] : [group]);
  process.setgid?.(identity.gid);
  process.setuid?.(identity.uid);
}

/** Removes the socket a predecessor left behind, so that its path can be bound again. */
export function clearSocket(path: string): void {
  rmSync(path, { force: true });
}

/** Opens a socket this process listens on to the other roles and to nobody else. */
export function shareSocket(path: string, { group }: Pick<RoleConfig, 'group'>): void {
  if (group !== undefined) chownSync(path, -1, group);
  chmodSync(path, group === undefined ? 0o600 : 0o660);
}
