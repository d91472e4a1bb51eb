/** Keeps the roles’ processes running: starts each again when it ends, with growing pauses, and stops them in order. */
import { type ChildProcess, spawn } from 'node:child_process';
import { SwiftletError } from '../../model/errors.ts';
import { handingOnRights } from '../../agent/linux/capabilities.ts';
import { calledRole, type RoleConfig, roleConfigVariable, type RoleName } from '../../role/role-config.ts';
import { type RoleOrder, roleNewsSchema } from '../../role/run-role.ts';
import type { RootKeys } from '../../role/root-keys.ts';
import { answerKeys } from './answer-keys.ts';
import { compiledCode, enteredBy, roleCommand } from './role-command.ts';

const firstPauseMs = 50;
const longestPauseMs = 5_000;
/** A role that has run this long has recovered. */
const recoveredAfterMs = 10_000;
/** A host that is busy with others starts them all the same; one that ends says so at once. */
const startLimitMs = 120_000;
/** What a role may need to stop beside the grace of its requests. */
const stopAllowanceMs = 5_000;

/** By this number, and those after it, a role has the descriptors that it is given. Before it are input, output, errors and its supervisor. */
export const firstGiven = 4;

export interface SupervisedRole {
  readonly name: RoleName;
  readonly pid: number | undefined;
  /** Resolves when it has said that it is ready, for the first time. @throws SwiftletError Unavailable with its reason */
  readonly ready: Promise<unknown>;
  /** Ends it within the grace and a little; afterwards it is not started again. */
  stop(graceMs: number): Promise<void>;
}

/** What not every role may have. */
export interface RoleGifts {
  readonly rootKeys?: RootKeys;
  /** The namespace that it runs in, as a command; with the rights over that. */
  readonly entrance?: readonly string[];
  /** Open descriptors, of this process. */
  readonly descriptors?: readonly number[];
}

/**
 * @param note called with what an operator should know
 * @param given what one role alone has
 */
export function superviseRole(
  config: RoleConfig,
  note: (text: string) => void,
  { rootKeys, entrance, descriptors = [] }: RoleGifts = {},
): SupervisedRole {
  const called = calledRole(config);
  const ready = Promise.withResolvers<undefined>();
  let child: ChildProcess | undefined;
  let pause: NodeJS.Timeout | undefined;
  let pauseMs = firstPauseMs;
  let stopping = false;
  let wasReady = false;
  let failure = 'it ended without a word';
  const late = setTimeout(
    () => ready.reject(new SwiftletError('Unavailable', `${called} was not ready within ${startLimitMs} ms`)),
    startLimitMs,
  );
  ready.promise.catch(() => undefined);

  const start = () => {
    const startedAt = performance.now();
    const { command, args, cwd } = enteredBy(entrance ?? [], roleCommand(config));
    const spawnIt = () =>
      spawn(command, args, {
        cwd,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...descriptors],
        env: { ...process.env, ...compiledCode(config), [roleConfigVariable]: JSON.stringify(config) },
      });
    child = entrance === undefined ? spawnIt() : handingOnRights(spawnIt);
    const asked = child;
    child.on('message', (message) => {
      if (rootKeys !== undefined) void answerKeys(rootKeys, message, asked);
      const news = roleNewsSchema.safeParse(message);
      if (!news.success) return;
      if (news.data.news === 'failed') failure = news.data.message;
      else {
        wasReady = true;
        clearTimeout(late);
        ready.resolve(undefined);
      }
    });
    child.once('exit', (code, signal) => {
      child = undefined;
      if (stopping) return;
      if (!wasReady) {
        clearTimeout(late);
        ready.reject(new SwiftletError('Unavailable', `${called} could not start: ${failure}`));
        return;
      }
      if (performance.now() - startedAt > recoveredAfterMs) pauseMs = firstPauseMs;
      note(`${called} ended (${signal ?? `code ${code ?? '?'}`}); it starts again`);
      pause = setTimeout(start, pauseMs);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    });
  };
  start();

  return {
    name: config.role,
    get pid() {
      return child?.pid;
    },
    ready: ready.promise,
    async stop(graceMs) {
      stopping = true;
      clearTimeout(pause);
      clearTimeout(late);
      const ending = child;
      if (ending === undefined) return;
      const gone = new Promise((resolve) => ending.once('exit', resolve));
      if (ending.connected) ending.send({ order: 'stop', graceMs } satisfies RoleOrder);
      const force = setTimeout(() => ending.kill('SIGKILL'), graceMs + stopAllowanceMs);
      await gone;
      clearTimeout(force);
    },
  };
}
