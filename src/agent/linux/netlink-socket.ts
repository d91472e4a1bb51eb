import koffi from 'koffi';
import { closeFd, SystemCallError } from './libc.ts';
import { flag, message, messagesOf, type NetlinkMessage } from './netlink.ts';
import { bind, checked, openSocket, setOption, sockRaw } from './socket-calls.ts';

const libc = koffi.load('libc.so.6');
const send = libc.func('long send(int fd, const uint8_t *buffer, size_t length, int flags)') as (
  fd: number,
  buffer: Buffer,
  length: number,
  flags: number,
) => number;
const recv = libc.func('long recv(int fd, _Out_ uint8_t *buffer, size_t length, int flags)') as (
  fd: number,
  buffer: Buffer,
  length: number,
  flags: number,
) => number;

/** In errors. */
const about = 'netlink';
const afNetlink = 16;
const addressBytes = 12;
const soReceiveTimeout = 20;
const soReceiveBuffer = 8;
/** The kernel answers at once; a socket that is silent for so long is broken. */
const answerLimitSeconds = 5n;
const receiveBytes = 64 * 1024;
const dontWait = 0x40;

const errorType = 2;
const doneType = 3;

/** `NETLINK_*`. */
export const protocol = { route: 0, netfilter: 12 } as const;

/**
 * A netlink socket of the network namespace that its thread was in when it was made. Every call is synchronous and takes what the kernel
 * takes: some 10 to some 100 µs.
 */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(receiveBytes);
  #sequence = 0;

  /** @throws SystemCallError */
  constructor(wanted: (typeof protocol)[keyof typeof protocol]) {
    this.#fd = openSocket(afNetlink, sockRaw, wanted, about, (fd) => {
      const limit = Buffer.alloc(16);
      limit.writeBigInt64LE(answerLimitSeconds);
      setOption(fd, soReceiveTimeout, limit, about);
      const address = Buffer.alloc(addressBytes);
      address.writeUInt16LE(afNetlink);
      checked('bind', bind(fd, address, address.length), about);
    });
  }

  /** Takes so many bytes that nobody has read yet; what comes above them is dropped. */
  boundReceived(bytes: number): void {
    const value = Buffer.alloc(4);
    value.writeUInt32LE(bytes);
    setOption(this.#fd, soReceiveBuffer, value, about);
  }

  /** Has the kernel do something. @param what it is, for the error @throws SystemCallError with the kernel’s reason */
  request(what: string, type: number, flags: number, ...parts: readonly Buffer[]): void {
    this.#send(message(type, flags | flag.ack, this.#next(), ...parts));
    this.#acknowledged(what);
  }

  /** Sends what is one transaction. @param changes how many of its messages ask for an acknowledgement @throws SystemCallError; nothing is done then */
  transact(what: string, messages: Buffer, changes: number): void {
    this.#send(messages);
    const answers: NetlinkMessage[] = [];
    // All of them, so that the next transaction does not take one for its own.
    while (answers.length < changes) answers.push(...this.#receive(0).filter(({ type }) => type === errorType));
    for (const answer of answers) failed(what, answer);
  }

  /** All that there is of something. @throws SystemCallError */
  dump(what: string, type: number, ...parts: readonly Buffer[]): NetlinkMessage[] {
    this.#send(message(type, flag.dump, this.#next(), ...parts));
    const found: NetlinkMessage[] = [];
    for (;;) {
      for (const answer of this.#receive(0)) {
        if (answer.type === doneType) return found;
        if (answer.type === errorType) failed(what, answer);
        else found.push(answer);
      }
    }
  }

  /** What has come by itself and was not read yet. Does not wait. */
  received(): NetlinkMessage[] {
    const found: NetlinkMessage[] = [];
    for (;;) {
      const messages = this.#receive(dontWait);
      if (messages.length === 0) return found;
      found.push(...messages);
    }
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }

  #next(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  #send(bytes: Buffer): void {
    checked('send', send(this.#fd, bytes, bytes.length, 0), about);
  }

  #acknowledged(what: string): void {
    for (;;) {
      const answer = this.#receive(0).find(({ type }) => type === errorType);
      if (answer === undefined) continue;
      failed(what, answer);
      return;
    }
  }

  #receive(flags: number): NetlinkMessage[] {
    const length = recv(this.#fd, this.#buffer, this.#buffer.length, flags);
    // Nothing is there; or more came than was read, and is lost.
    if (length < 0 && flags === dontWait) return [];
    checked('recv', length, about);
    return messagesOf(Buffer.from(this.#buffer.subarray(0, length)));
  }
}

/** An error of number 0 is an acknowledgement. */
function failed(what: string, { payload }: NetlinkMessage): void {
  const errno = -payload.readInt32LE(0);
  if (errno !== 0) throw new SystemCallError('netlink', errno, what);
}
