import { bigEndian32, attribute } from '../linux/netlink.ts';
import { NetlinkSocket, protocol } from '../linux/netlink-socket.ts';
import type { NetworkNamespaces } from '../linux/network-namespace.ts';
import { parseRefusal, type Refusal } from './refusal.ts';

const lookEveryMs = 200;
/** After so long what was refused has been told. */
export const refusalsToldWithinMs = lookEveryMs + 50;
/** What is not read in time is dropped: refusals cost a bounded place, however many there are. */
const waitingBytes = 256 * 1024;
const configure = 0x0401;
const setting = { command: 1, mode: 2, timeout: 4, threshold: 5 } as const;
const bindCommand = 1;
const copyPacket = 2;
const copiedBytes = 64;
/** In hundredths of a second. */
const heldBack = 1;

/** Hears of refused packets from the kernel's log (nflog), in the router and on the host. */
export class RefusalLog implements Disposable {
  readonly #sockets: readonly NetlinkSocket[];
  readonly #timer: NodeJS.Timeout;

  /** @param groups where to listen: the namespace, absent for the host’s, and the group in it @throws SystemCallError */
  constructor(
    namespaces: NetworkNamespaces,
    groups: readonly { readonly fd: number | undefined; readonly group: number }[],
    onRefusal: (refusal: Refusal) => void,
  ) {
    const sockets: NetlinkSocket[] = [];
    try {
      for (const { fd, group } of groups) {
        const socket =
          fd === undefined ? new NetlinkSocket(protocol.netfilter) : namespaces.inside(fd, () => new NetlinkSocket(protocol.netfilter));
        sockets.push(socket);
        listen(socket, group);
      }
    } catch (error) {
      for (const socket of sockets) socket[Symbol.dispose]();
      throw error;
    }
    this.#sockets = sockets;
    this.#timer = setInterval(() => {
      for (const socket of sockets) {
        for (const message of socket.received()) {
          const refusal = parseRefusal(message);
          if (refusal !== undefined) onRefusal(refusal);
        }
      }
    }, lookEveryMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket[Symbol.dispose]();
  }
}

function listen(socket: NetlinkSocket, group: number): void {
  socket.boundReceived(waitingBytes);
  const header = Buffer.alloc(4);
  header.writeUInt16BE(group, 2);
  const mode = Buffer.concat([bigEndian32(copiedBytes), Buffer.from([copyPacket, 0])]);
  const settings = [
    attribute(setting.command, Buffer.from([bindCommand])),
    attribute(setting.mode, mode),
    attribute(setting.timeout, bigEndian32(heldBack)),
    attribute(setting.threshold, bigEndian32(1)),
  ];
  socket.request(`listen to group ${group}`, configure, 0, header, ...settings);
}
