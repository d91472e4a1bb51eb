/**
 * Rights over a user namespace of one's own. A thread has them, and keeps them from what it starts: bubblewrap refuses to run with rights
 * that it did not ask for. Not root's, which go by the user's number.
 */
import { readFileSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const prctl = libc.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)') as (
  ...values: number[]
) => number;

const ambient = 47;
const raise = 2;
const clearAll = 4;
/** What interfaces, rules and namespaces take: CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN. */
const network = [10, 12, 13, 21] as const;

/** Whether this process may make namespaces and rules without being root: it runs in a user namespace of its own. */
export function hasOwnNamespace(): boolean {
  const mask = BigInt(`0x${readFileSync('/proc/self/status', 'utf8').match(/^CapEff:\s*([0-9a-f]+)$/m)?.[1] ?? '0'}`);
  return process.getuid?.() !== 0 && network.every((capability) => (mask >> BigInt(capability)) % 2n === 1n);
}

/** From now on what this thread starts has none of its rights. Does nothing for one without. */
export const keepRights = (): void => {
  prctl(ambient, clearAll, 0, 0, 0);
};

/** Starts something that is to have this thread’s rights over networks, as far as there are any. @param start must not wait */
export function handingOnRights<T>(start: () => T): T {
  for (const capability of network) prctl(ambient, raise, capability, 0, 0);
  try {
    return start();
  } finally {
    keepRights();
  }
}
