/** Interfaces, addresses and routes of one network namespace, by rtnetlink(7). */
import { attribute, attributesOf, bigEndian16, flag, nested } from './netlink.ts';
import { NetlinkSocket, protocol } from './netlink-socket.ts';

const newLink = 16;
const deleteLink = 17;
const getLink = 18;
const newAddress = 20;
const newRoute = 24;
const getRoute = 26;
const newNeighbour = 28;
const newRule = 32;
const deleteRule = 33;

const linkHeaderBytes = 16;
const routeHeaderBytes = 12;
const linkAttribute = { address: 1, name: 3, mtu: 4, info: 18, namespaceFd: 28 } as const;
const infoKind = 1;
const infoData = 2;
const vethPeer = 1;
const vxlanAttribute = { id: 1, remote: 2, learning: 7, port: 15 } as const;
const addressAttribute = { address: 1, local: 2 } as const;
const routeAttribute = { destination: 1, interface: 4, gateway: 5, source: 7, table: 15 } as const;
const neighbourAttribute = { address: 1, hardware: 2 } as const;
const ruleAttribute = { priority: 6, mark: 10, table: 15, mask: 16 } as const;

/** Without ARP and neighbour discovery: what is sent on one end has the other’s hardware address, since both have the same. */
const isUp = 1;
const isWithoutArp = 0x80;
const hardwareAddress = Buffer.from([0x02, 0x53, 0, 0, 0, 1]);
const noDuplicateDetection = 2;

const mainTable = 254;
/** By whom a route was made: a program that an administrator started. */
const staticRoute = 4;
const scopeLink = 253;
const permanent = 0x80;
/** The gateway is on the interface, whatever the routes say. */
const onLink = 4;
const toTable = 1;
const wholeMark = 0xffff_ffff;
const unicast = 1;

export const family = { ipv4: 2, ipv6: 10 } as const;
type Family = (typeof family)[keyof typeof family];

export interface LinkEnd {
  readonly name: string;
  /** What the kernel is to call it; free in its namespace. */
  readonly index: number;
}

/** A range of addresses. */
export interface Range {
  readonly family: Family;
  /** 4 or 16 bytes. */
  readonly address: Buffer;
  readonly prefix: number;
}

/** One end of a tunnel: an interface whose packets go, in packets over UDP, to another host. */
export interface VxlanEnd extends LinkEnd {
  /** 6 bytes. */
  readonly hardware: Buffer;
  readonly mtu: number;
  /** Tells tunnels between the same hosts apart. */
  readonly id: number;
  /** 4 bytes. */
  readonly remote: Buffer;
  readonly port: number;
}

/** A way to a range that holds for packets with its table’s mark. */
export interface TableRoute {
  readonly index: number;
  readonly to: Range;
  /** Reached by the interface itself; absent: the range is. */
  readonly gateway?: Buffer;
  readonly table: number;
}

/** The loopback’s index, in every namespace. */
export const loopback = 1;

/** A door to one namespace’s interfaces. Each call is done when it returns; SystemCallError when it cannot be. */
export class Links implements Disposable {
  readonly #socket = new NetlinkSocket(protocol.route);

  /**
   * Makes a cable with one end here, up, and the other in another namespace, which is to be raised there. All that is sent on one end is
   * taken by the other.
   */
  addCable(here: LinkEnd, there: LinkEnd & { readonly namespaceFd: number }): void {
    const peer = [linkHeader(there.index, isWithoutArp), attribute(linkAttribute.name, there.name)];
    const inside = [attribute(linkAttribute.address, hardwareAddress), attribute(linkAttribute.namespaceFd, there.namespaceFd)];
    this.#socket.request(
      `make ${here.name}–${there.name}`,
      newLink,
      flag.create | flag.exclusive,
      linkHeader(here.index, isUp | isWithoutArp),
      attribute(linkAttribute.name, here.name),
      attribute(linkAttribute.address, hardwareAddress),
      nested(linkAttribute.info, attribute(infoKind, 'veth'), nested(infoData, nested(vethPeer, ...peer, ...inside))),
    );
  }

  raise(index: number): void {
    this.#socket.request('raise', newLink, 0, linkHeader(index, isUp, isUp));
  }

  remove(name: string): void {
    this.#socket.request(`remove ${name}`, deleteLink, 0, linkHeader(0, 0), attribute(linkAttribute.name, name));
  }

  addAddress(index: number, { family: kind, address, prefix }: Range): void {
    const header = Buffer.alloc(8);
    header.writeUInt8(kind, 0);
    header.writeUInt8(prefix, 1);
    header.writeUInt8(noDuplicateDetection, 2);
    header.writeUInt32LE(index, 4);
    const parts = [attribute(addressAttribute.local, address), attribute(addressAttribute.address, address)];
    this.#socket.request('add an address', newAddress, flag.create | flag.exclusive, header, ...parts);
  }

  /** Sends what is for a range out of an interface. @param source the address that this machine’s own connections have */
  addRoute(index: number, to: Range, source?: Buffer): void {
    const header = Buffer.from([
      to.family,
      to.prefix,
      0,
      0,
      mainTable,
      staticRoute,
      to.family === family.ipv4 ? scopeLink : 0,
      unicast,
      0,
      0,
      0,
      0,
    ]);
    const parts = [
      ...(to.prefix === 0 ? [] : [attribute(routeAttribute.destination, to.address)]),
      attribute(routeAttribute.interface, index),
      ...(source === undefined ? [] : [attribute(routeAttribute.source, source)]),
    ];
    this.#socket.request('add a route', newRoute, flag.create | flag.exclusive, header, ...parts);
  }

  /**
   * Makes one end of a tunnel, up. What is around its packets goes out of this namespace, wherever the interface is.
   * @param namespaceFd where the interface is to be; absent: here
   */
  addVxlan({ name, index, hardware, mtu, id, remote, port }: VxlanEnd, namespaceFd?: number): void {
    const settings = [
      attribute(vxlanAttribute.id, id),
      attribute(vxlanAttribute.remote, remote),
      attribute(vxlanAttribute.learning, Buffer.from([0])),
      attribute(vxlanAttribute.port, bigEndian16(port)),
    ];
    this.#socket.request(
      `make ${name}`,
      newLink,
      flag.create | flag.exclusive,
      linkHeader(index, isUp),
      attribute(linkAttribute.name, name),
      attribute(linkAttribute.address, hardware),
      attribute(linkAttribute.mtu, mtu),
      ...(namespaceFd === undefined ? [] : [attribute(linkAttribute.namespaceFd, namespaceFd)]),
      nested(linkAttribute.info, attribute(infoKind, 'vxlan'), nested(infoData, ...settings)),
    );
  }

  /** Says for good which hardware address a neighbour has. @param address 4 bytes @param hardware 6 bytes */
  setNeighbour(index: number, address: Buffer, hardware: Buffer): void {
    const header = Buffer.alloc(12);
    header.writeUInt8(family.ipv4, 0);
    header.writeInt32LE(index, 4);
    header.writeUInt16LE(permanent, 8);
    const parts = [attribute(neighbourAttribute.address, address), attribute(neighbourAttribute.hardware, hardware)];
    this.#socket.request('set a neighbour', newNeighbour, flag.create | flag.replace, header, ...parts);
  }

  /** Sends what is for a range, and has a table’s mark, out of an interface; in place of what the table said of the range. */
  setTableRoute({ index, to, gateway, table }: TableRoute): void {
    const header = Buffer.from([to.family, to.prefix, 0, 0, 0, staticRoute, gateway === undefined ? scopeLink : 0, unicast, 0, 0, 0, 0]);
    header.writeUInt32LE(gateway === undefined ? 0 : onLink, 8);
    const parts = [
      attribute(routeAttribute.destination, to.address),
      attribute(routeAttribute.interface, index),
      attribute(routeAttribute.table, table),
      ...(gateway === undefined ? [] : [attribute(routeAttribute.gateway, gateway)]),
    ];
    this.#socket.request('set a route', newRoute, flag.create | flag.replace, header, ...parts);
  }

  /** Has packets with a mark go by the table of the same number, as far as that says where. @param priority lower ones come first */
  addMarkRule(mark: number, priority: number): void {
    this.#socket.request('add a rule', newRule, flag.create | flag.exclusive, ...markRule(mark, priority));
  }

  removeMarkRule(mark: number, priority: number): void {
    this.#socket.request('remove a rule', deleteRule, 0, ...markRule(mark, priority));
  }

  /** Names of all interfaces, with their numbers. */
  names(): ReadonlyMap<string, number> {
    const found = this.#socket.dump('list interfaces', getLink, linkHeader(0, 0));
    return new Map(
      found.map(({ payload }) => [
        String(attributesOf(payload, linkHeaderBytes).get(linkAttribute.name) ?? '').replace(/\0$/, ''),
        payload.readInt32LE(4),
      ]),
    );
  }

  /** The IPv4 ranges that something is routed to, with their prefixes, as `198.18.0.0/19`. */
  routes(): ReadonlySet<string> {
    const found = this.#socket.dump('list routes', getRoute, Buffer.from([family.ipv4, ...Array<number>(routeHeaderBytes - 1).fill(0)]));
    return new Set(
      found.map(({ payload }) => {
        const destination = attributesOf(payload, routeHeaderBytes).get(routeAttribute.destination);
        return `${destination === undefined ? '0.0.0.0' : destination.join('.')}/${payload.readUInt8(1)}`;
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

function linkHeader(index: number, flags: number, change = flags): Buffer {
  const header = Buffer.alloc(linkHeaderBytes);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(change, 12);
  return header;
}

function markRule(mark: number, priority: number): Buffer[] {
  const header = Buffer.from([family.ipv4, 0, 0, 0, 0, 0, 0, toTable, 0, 0, 0, 0]);
  return [
    header,
    attribute(ruleAttribute.priority, priority),
    attribute(ruleAttribute.mark, mark),
    attribute(ruleAttribute.mask, wholeMark),
    attribute(ruleAttribute.table, mark),
  ];
}
