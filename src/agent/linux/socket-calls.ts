/** What sockets of every kind need of the system. */
import koffi from 'koffi';
import { closeFd, SystemCallError } from './libc.ts';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)') as (domain: number, type: number, protocol: number) => number;
export const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t length)') as (
  fd: number,
  address: Buffer,
  length: number,
) => number;
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)') as (
  fd: number,
  level: number,
  name: number,
  value: Buffer,
  length: number,
) => number;

const closeOnExec = 0o2000000;
export const solSocket = 1;
export const sockRaw = 3;

/** @returns a call's result @param about what it was for @throws SystemCallError when it is an error's */
export function checked(call: string, result: number, about: string): number {
  if (result < 0) throw new SystemCallError(call, koffi.errno(), about);
  return result;
}

/**
 * A socket of the network namespace that its thread is in.
 * @param prepare what it needs before it is used; when that throws, the socket is closed
 * @returns its descriptor, which the caller closes @throws SystemCallError
 */
export function openSocket(family: number, type: number, protocol: number, about: string, prepare: (fd: number) => void): number {
  const fd = checked('socket', socket(family, type | closeOnExec, protocol), about);
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Sets an option of the socket itself. @param about what it is for @throws SystemCallError */
export function setOption(fd: number, name: number, value: Buffer, about: string): void {
  checked('setsockopt', setsockopt(fd, solSocket, name, value, value.length), about);
}
