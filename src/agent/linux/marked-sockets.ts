/** Sockets whose packets have a mark, which says by which of the namespace's tables they go. */
import koffi from 'koffi';
import { closeFd } from './libc.ts';
import { bind, checked, openSocket, setOption, sockRaw, solSocket } from './socket-calls.ts';

const libc = koffi.load('libc.so.6');
const getsockopt = libc.func('int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)') as (
  fd: number,
  level: number,
  name: number,
  value: Buffer,
  length: [number],
) => number;
const sendto = libc.func(
  'long sendto(int fd, const uint8_t *buffer, size_t length, int flags, const uint8_t *address, uint32_t addressLength)',
) as (fd: number, buffer: Buffer, length: number, flags: number, address: Buffer, addressLength: number) => number;

const afInet = 2;
const sockDatagram = 2;
const protocolRaw = 255;
const soBindToDevice = 25;
const soMark = 36;
const soNamespaceCookie = 71;

/**
 * A UDP socket of this thread's network namespace that sends and hears by one interface only.
 * @param address 4 bytes @param port 0: any
 * @returns its descriptor, which the caller closes @throws SystemCallError
 */
export function bindToInterface(name: string, mark: number, address: Buffer, port: number): number {
  return opened(sockDatagram, 0, mark, (fd) => {
    const device = Buffer.from(`${name}\0`);
    setOption(fd, soBindToDevice, device, name);
    const bytes = addressBytes(address, port);
    checked('bind', bind(fd, bytes, bytes.length), `${address.join('.')}:${port}`);
  });
}

/** Sends packets as they are, with whatever address they come from. Of the namespace that its thread was in when it was made. */
export class RawSender implements Disposable {
  readonly #fd: number;

  /** @throws SystemCallError */
  constructor(mark: number) {
    this.#fd = opened(sockRaw, protocolRaw, mark, () => undefined);
  }

  /** @param packet with its IPv4 header; the kernel fills in what is left 0 of it @param to 4 bytes @throws SystemCallError */
  send(packet: Buffer, to: Buffer): void {
    const address = addressBytes(to, 0);
    checked('sendto', sendto(this.#fd, packet, packet.length, 0, address, address.length), to.join('.'));
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }
}

/** Names this thread's network namespace as no other one since the kernel was started. @throws SystemCallError before Linux 5.14 */
export function namespaceCookie(): string {
  const fd = openSocket(afInet, sockDatagram, 0, 'UDP', () => undefined);
  try {
    const value = Buffer.alloc(8);
    checked('getsockopt', getsockopt(fd, solSocket, soNamespaceCookie, value, [value.length]), 'SO_NETNS_COOKIE');
    return value.readBigUInt64LE().toString(16);
  } finally {
    closeFd(fd);
  }
}

const opened = (type: number, protocol: number, mark: number, prepare: (fd: number) => void): number =>
  openSocket(afInet, type, protocol, String(mark), (fd) => {
    const value = Buffer.alloc(4);
    value.writeUInt32LE(mark);
    setOption(fd, soMark, value, 'SO_MARK');
    prepare(fd);
  });

/** `struct sockaddr_in`. */
function addressBytes(address: Buffer, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(afInet, 0);
  bytes.writeUInt16BE(port, 2);
  address.copy(bytes, 4);
  return bytes;
}
