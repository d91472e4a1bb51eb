import { release } from 'node:os';

/** Since this version each user namespace has a count of its own; before, a limit would count all processes that the user has on the host. */
const firstLinux = [5, 14] as const;

/** Whether RLIMIT_NPROC can hold one sandbox without hurting others. @param kernel as `uname -r` says it */
export function countsProcessesByNamespace(kernel: string = release()): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return major > firstLinux[0] || (major === firstLinux[0] && minor >= firstLinux[1]);
}
