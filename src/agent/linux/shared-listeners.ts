/** TCP sockets that listen at one place together; the kernel gives each new connection to one of them. */
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import koffi from 'koffi';
import { closeFd } from './libc.ts';
import { bind, checked, openSocket, setOption } from './socket-calls.ts';

const libc = koffi.load('libc.so.6');
const listen = libc.func('int listen(int fd, int backlog)') as (fd: number, backlog: number) => number;

const families = { ipv4: 2, ipv6: 10 } as const;
const sockStream = 1;
const soReuseAddress = 2;
const soReusePort = 15;
const yes = Buffer.from([1, 0, 0, 0]);
/** What the system allows is the limit. */
const backlog = 4_096;

/**
 * @param address of IPv4 or IPv6 @param count how many: one takes the place for itself
 * @returns their descriptors, which the caller closes @throws SystemCallError with EADDRINUSE when somebody else listens there
 */
export function listenTogether(address: string, port: number, count: number): number[] {
  const opened: number[] = [];
  try {
    for (let at = 0; at < count; at++) opened.push(listener(address, port, at === 0, count > 1));
    for (const fd of opened) checked('listen', listen(fd, backlog), `${address}:${port}`);
    return opened;
  } catch (error) {
    for (const fd of opened) closeFd(fd);
    throw error;
  }
}

/** The first one shares its place only once it has it: somebody else who shares there, too, is found out. */
function listener(address: string, port: number, isFirst: boolean, isShared: boolean): number {
  const bytes = addressBytes(address, port);
  return openSocket(bytes.readUInt16LE(), sockStream, 0, 'TCP', (fd) => {
    setOption(fd, soReuseAddress, yes, 'SO_REUSEADDR');
    if (isShared && !isFirst) setOption(fd, soReusePort, yes, 'SO_REUSEPORT');
    checked('bind', bind(fd, bytes, bytes.length), `${address}:${port}`);
    if (isShared && isFirst) setOption(fd, soReusePort, yes, 'SO_REUSEPORT');
  });
}

/** `struct sockaddr_in`, or `struct sockaddr_in6`. */
function addressBytes(address: string, port: number): Buffer {
  const isV6 = isIPv6(address);
  const bytes = Buffer.alloc(isV6 ? 28 : 16);
  bytes.writeUInt16LE(isV6 ? families.ipv6 : families.ipv4, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ipaddr.parse(address).toByteArray(), isV6 ? 8 : 4);
  return bytes;
}
