/** Network namespaces, made and entered by this thread. Everything is synchronous, so that no other code runs in a foreign one. */
import { closeSync, openSync } from 'node:fs';
import { closeFd, cloneTree, enterNetworkNamespace, openReadOnly, placeMount, unmount, unshareNetwork } from './libc.ts';

const own = '/proc/thread-self/ns/net';

/** Steps into other namespaces and back. Needs CAP_SYS_ADMIN. One for each thread that does so. */
export class NetworkNamespaces implements Disposable {
  readonly #home = openReadOnly(own);

  /**
   * Makes an empty one, in which not even the loopback is up.
   * @param prepare what is to be done in it
   * @returns its descriptor: it ends when that is closed, nothing runs in it, and it is mounted nowhere. The caller closes it by `closeFd`
   * @throws SystemCallError, or what `prepare` throws; nothing is left then
   */
  create(prepare: (fd: number) => void): number {
    unshareNetwork();
    let fd: number | undefined;
    try {
      fd = openReadOnly(own);
      prepare(fd);
      return fd;
    } catch (error) {
      if (fd !== undefined) closeFd(fd);
      throw error;
    } finally {
      enterNetworkNamespace(this.#home);
    }
  }

  /** Does something in a namespace: what is opened or started there stays there. */
  inside<T>(fd: number, act: () => T): T {
    enterNetworkNamespace(fd);
    try {
      return act();
    } finally {
      enterNetworkNamespace(this.#home);
    }
  }

  /** Lets a namespace outlive its processes, until `release`. @param path of a file, which is made */
  keep(fd: number, path: string): void {
    closeSync(openSync(path, 'w', 0o600));
    const mount = this.inside(fd, () => cloneTree(own));
    try {
      placeMount(mount, path);
    } finally {
      closeFd(mount);
    }
  }

  [Symbol.dispose](): void {
    closeFd(this.#home);
  }
}

/** Opens a namespace that is kept. @throws SystemCallError when nothing lies there */
export const openKept = (path: string): number => openReadOnly(path);

/** Ends the keeping; the namespace goes with the last process in it. */
export const release = (path: string): void => {
  unmount(path);
};
