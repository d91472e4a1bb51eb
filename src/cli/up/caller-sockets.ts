/**
 * The sockets that callers come by. The supervisor has them, and gateways get them when they are started: while a gateway is away, who comes
 * waits in the system's queue for its successor, instead of being refused.
 */
import { lookup } from 'node:dns/promises';
import { closeFd, SystemCallError } from '../../agent/linux/libc.ts';
import { listenTogether } from '../../agent/linux/shared-listeners.ts';
import { SwiftletError } from '../../model/errors.ts';
import type { RoleConfig } from '../../role/role-config.ts';
import { firstGiven } from './supervisor.ts';

type Gateway = Pick<RoleConfig['gateway'], 'host' | 'port' | 'lambdaPort' | 'secure' | 'count'>;
type Sockets = NonNullable<RoleConfig['gateway']['sockets']>;

export interface CallerSockets extends Disposable {
  /** What a gateway is started with, and by which numbers it has them then. @param index which one, from 0 on */
  of(index: number): { readonly given: readonly number[]; readonly sockets: Sockets };
}

/** @throws SwiftletError Unavailable that names the place, when it cannot be had */
export async function openCallerSockets({ host, port, lambdaPort, secure, count = 1 }: Gateway): Promise<CallerSockets> {
  const opened: number[][] = [];
  using all = new DisposableStack();
  const open = async (place: { readonly host: string; readonly port: number }) => {
    const fds = await openAt(place, count);
    all.defer(() => fds.forEach(closeFd));
    return opened.push(fds) - 1 + firstGiven;
  };
  const sockets: Sockets = {
    plain: await open({ host, port }),
    ...(lambdaPort === undefined ? {} : { lambda: await open({ host, port: lambdaPort }) }),
    ...(secure === undefined ? {} : { secure: await open(secure) }),
  };
  const held = all.move();
  return {
    of: (index) => ({ given: opened.flatMap((fds) => fds[index] ?? []), sockets }),
    [Symbol.dispose]: () => held[Symbol.dispose](),
  };
}

async function openAt({ host, port }: { readonly host: string; readonly port: number }, count: number): Promise<number[]> {
  try {
    return listenTogether((await lookup(host)).address, port, count);
  } catch (error) {
    const why = error instanceof SystemCallError && error.message.endsWith('EADDRINUSE') ? 'somebody else listens there' : String(error);
    throw new SwiftletError('Unavailable', `the gateway cannot listen at ${host}:${port}: ${why}`, { cause: error });
  }
}
