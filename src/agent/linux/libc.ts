/** The C library's calls that Node.js does not offer, bound once. Every one throws a SystemCallError that names the call. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

const calls = {
  socket: libc.func('int socket(int domain, int type, int protocol)') as (domain: number, type: number, protocol: number) => number,
  bind: libc.func('int bind(int fd, const uint8_t *address, uint32_t length)') as (fd: number, address: Buffer, length: number) => number,
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const int *value, uint32_t length)') as (
    fd: number,
    level: number,
    name: number,
    value: Int32Array,
    length: number,
  ) => number,
  listen: libc.func('int listen(int fd, int backlog)') as (fd: number, backlog: number) => number,
  close: libc.func('int close(int fd)') as (fd: number) => number,
  mkfifo: libc.func('int mkfifo(const char *path, uint32_t mode)') as (path: string, mode: number) => number,
  unshare: libc.func('int unshare(int flags)') as (flags: number) => number,
  setns: libc.func('int setns(int fd, int kind)') as (fd: number, kind: number) => number,
  umount: libc.func('int umount2(const char *path, int flags)') as (path: string, flags: number) => number,
  open: libc.func('int open(const char *path, int flags, ...)') as (path: string, flags: number) => number,
  prlimit: libc.func('int prlimit(int pid, int resource, const uint64_t *wanted, void *old)') as (
    pid: number,
    resource: number,
    wanted: BigUint64Array,
    old: null,
  ) => number,
  syscall: libc.func('long syscall(long number, ...)') as (number: number, ...typesAndValues: unknown[]) => number,
};

/** A system call that failed, with the number of its error. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly call: string;
  readonly errno: number;

  constructor(call: string, errno: number, about: string) {
    super(`${call}(${about}) failed with ${errnoName(errno)}`);
    this.call = call;
    this.errno = errno;
  }
}

const errnoNames = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));
const errnoName = (errno: number): string => errnoNames.get(errno) ?? `errno ${errno}`;

const checked = (call: string, result: number, about: string): number => {
  if (result < 0) throw new SystemCallError(call, koffi.errno(), about);
  return result;
};

const closeOnExec = 0o2000000;
const currentFolder = -100;

// The mount and descriptor calls have the same numbers on x86-64 and arm64.
const sysCloseRange = 436;
const closeRangeCloseOnExec = 4;
const lastDescriptor = 0xffff_ffff;
/** Marks all descriptors from this one on to be closed when this process starts a program. */
export const closeOnExecFrom = (first: number): void => {
  checked('close_range', calls.syscall(sysCloseRange, 'uint', first, 'uint', lastDescriptor, 'uint', closeRangeCloseOnExec), String(first));
};

const afUnix = 1;
const sockStream = 1;
const addressHeaderBytes = 2;
/** A socket's path must fit into `sockaddr_un` with its closing zero. */
export const maxSocketPathBytes = 107;

/**
 * Makes a Unix socket that listens, as a bare descriptor that can be handed to a child.
 * @param path at most `maxSocketPathBytes`; nothing may lie there
 * @returns the descriptor, to be closed with `closeFd`
 */
export function listenUnix(path: string, backlog: number): number {
  const fd = checked('socket', calls.socket(afUnix, sockStream | closeOnExec, 0), 'AF_UNIX');
  try {
    const address = Buffer.alloc(addressHeaderBytes + maxSocketPathBytes + 1);
    address.writeUInt16LE(afUnix, 0);
    const length = address.write(path, addressHeaderBytes);
    checked('bind', calls.bind(fd, address, addressHeaderBytes + length + 1), path);
    checked('listen', calls.listen(fd, backlog), path);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

const afInet = 2;
const sockDatagram = 2;
const nameBacklog = 128;
const solSocket = 1;
const soReuseAddress = 2;
/** A socket on an IPv4 address of this thread's network namespace, listening if it is TCP's; to be closed with `closeFd`. */
export function bindInternet(kind: 'udp' | 'tcp', host: Buffer, port: number): number {
  const fd = checked('socket', calls.socket(afInet, (kind === 'udp' ? sockDatagram : sockStream) | closeOnExec, 0), kind);
  try {
    // What connections of an earlier owner have left behind does not keep its port.
    const yes = new Int32Array([1]);
    checked('setsockopt', calls.setsockopt(fd, solSocket, soReuseAddress, yes, yes.byteLength), 'SO_REUSEADDR');
    const address = Buffer.alloc(16);
    address.writeUInt16LE(afInet, 0);
    address.writeUInt16BE(port, 2);
    host.copy(address, 4);
    checked('bind', calls.bind(fd, address, address.length), `${host.join('.')}:${port}`);
    if (kind === 'tcp') checked('listen', calls.listen(fd, nameBacklog), `${port}`);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

export const closeFd = (fd: number): void => {
  calls.close(fd);
};

export const makeFifo = (path: string, mode: number): void => {
  checked('mkfifo', calls.mkfifo(path, mode), path);
};

const rlimitNproc = 6;
/** Limits the processes and threads of a process's user, counted in the process's own user namespace since Linux 5.14. */
export const limitProcesses = (pid: number, count: number): void => {
  const value = BigInt(count);
  checked('prlimit', calls.prlimit(pid, rlimitNproc, new BigUint64Array([value, value]), null), `${pid}, RLIMIT_NPROC`);
};

const rlimitCore = 4;
/**
 * Forbids core dumps of this process and of all that it starts from now on. The limit is one byte: at 0 Linux still hands the whole
 * memory to a program that `core_pattern` pipes dumps to, at 1 it does not (do_coredump in fs/coredump.c).
 */
export const forbidCoreDumps = (): void => {
  // Refused only where the limit is 0 for good already.
  calls.prlimit(0, rlimitCore, new BigUint64Array([1n, 1n]), null);
};

const cloneFs = 0x200;
/** Gives this thread a root and working directory of its own, without which it may not enter a mount namespace. */
export const unshareFs = (): void => {
  checked('unshare', calls.unshare(cloneFs), 'CLONE_FS');
};

const cloneNewNs = 0x20000;
/** Moves this thread, and only it, into a mount namespace. */
export const enterMountNamespace = (fd: number): void => {
  checked('setns', calls.setns(fd, cloneNewNs), 'CLONE_NEWNS');
};

const cloneNewNet = 0x4000_0000;
/** Puts this thread, and only it, into a network namespace of its own that nobody else is in. */
export const unshareNetwork = (): void => {
  checked('unshare', calls.unshare(cloneNewNet), 'CLONE_NEWNET');
};

/** Moves this thread, and only it, into a network namespace. Sockets keep the one that they were made in. */
export const enterNetworkNamespace = (fd: number): void => {
  checked('setns', calls.setns(fd, cloneNewNet), 'CLONE_NEWNET');
};

const detach = 2;
/** Takes a mount away; what is still open below it stays so. */
export const unmount = (path: string): void => {
  checked('umount2', calls.umount(path, detach), path);
};

/** Opens for use with the calls here, outside of Node's own book of descriptors. */
export const openReadOnly = (path: string): number => checked('open', calls.open(path, closeOnExec), path);

const sysOpenTree = 428;
const sysMoveMount = 429;
const sysFsopen = 430;
const sysFsconfig = 431;
const sysFsmount = 432;
const sysMountSetattr = 442;

const openTreeClone = 1;
const atRecursive = 0x8000;
const atEmptyPath = 0x1000;
const moveMountEmptyPath = 4;
const fsconfigSetString = 1;
const fsconfigCreate = 6;

/** `MOUNT_ATTR_*` of mount_setattr(2). */
export const mountAttribute = { readOnly: 1n, noSuid: 2n, noDev: 4n, noExec: 8n } as const;
const mountAttrBytes = 32;

/** A mount of a folder that hangs nowhere yet; to be placed with `placeMount` and closed with `closeFd`. */
export const cloneTree = (path: string): number =>
  checked(
    'open_tree',
    calls.syscall(sysOpenTree, 'int', currentFolder, 'str', path, 'uint', openTreeClone | closeOnExec | atRecursive),
    path,
  );

export function setMountAttributes(mount: number, attributes: bigint): void {
  const value = Buffer.alloc(mountAttrBytes);
  value.writeBigUInt64LE(attributes, 0);
  const result = calls.syscall(
    sysMountSetattr,
    'int',
    mount,
    'str',
    '',
    'uint',
    atEmptyPath | atRecursive,
    'uint8_t *',
    value,
    'size_t',
    mountAttrBytes,
  );
  checked('mount_setattr', result, String(attributes));
}

/** Hangs a mount at a path of this thread's mount namespace. */
export const placeMount = (mount: number, path: string): void => {
  checked(
    'move_mount',
    calls.syscall(sysMoveMount, 'int', mount, 'str', '', 'int', currentFolder, 'str', path, 'uint', moveMountEmptyPath),
    path,
  );
};

/** A new file system that hangs nowhere yet. @param options as mount(8) names them */
export function newFileSystem(kind: string, options: Readonly<Record<string, string>>, attributes: bigint): number {
  const context = checked('fsopen', calls.syscall(sysFsopen, 'str', kind, 'uint', 1), kind);
  try {
    for (const [name, value] of Object.entries(options)) {
      checked(
        'fsconfig',
        calls.syscall(sysFsconfig, 'int', context, 'uint', fsconfigSetString, 'str', name, 'str', value, 'int', 0),
        `${name}=${value}`,
      );
    }
    const create = calls.syscall(sysFsconfig, 'int', context, 'uint', fsconfigCreate, 'void *', null, 'void *', null, 'int', 0);
    checked('fsconfig', create, kind);
    return checked('fsmount', calls.syscall(sysFsmount, 'int', context, 'uint', 1, 'uint', Number(attributes)), kind);
  } finally {
    closeFd(context);
  }
}
