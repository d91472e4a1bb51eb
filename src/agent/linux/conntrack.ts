/** Connections that the kernel follows, by their mark: see nfnetlink and conntrack(8). */
import { attribute, attributesOf, bigEndian32 } from './netlink.ts';
import type { NetlinkSocket } from './netlink-socket.ts';

const conntrack = 1;
const getFlow = (conntrack << 8) | 1;
const deleteFlow = (conntrack << 8) | 2;
const headerBytes = 4;
const familyIpv4 = 2;
const flowAttribute = { original: 1, mark: 8, markMask: 21 } as const;
const tupleAttribute = { addresses: 1, protocol: 2 } as const;
const addressAttribute = { source: 1, destination: 2 } as const;
const protocolAttribute = { number: 1, sourcePort: 2, destinationPort: 3 } as const;

export const tcp = 6;

/** A connection over IPv4, as it was opened. */
export interface Flow {
  /** As IP numbers protocols. */
  readonly protocol: number;
  /** 4 bytes. */
  readonly source: Buffer;
  readonly destination: Buffer;
  /** 0 where the protocol has none. */
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** All that have a mark. @param socket of netfilter, in the namespace @throws SystemCallError */
export function flowsMarked(socket: NetlinkSocket, mark: number): Flow[] {
  return socket.dump('list connections', getFlow, ...marked(mark)).flatMap(({ payload }) => parseFlow(payload) ?? []);
}

/** Forgets all that have a mark: their next packets are judged as a new connection’s. @throws SystemCallError */
export function forgetMarked(socket: NetlinkSocket, mark: number): void {
  socket.request('forget connections', deleteFlow, 0, ...marked(mark));
}

const marked = (mark: number): Buffer[] => [
  Buffer.from([familyIpv4, 0, 0, 0]),
  attribute(flowAttribute.mark, bigEndian32(mark)),
  attribute(flowAttribute.markMask, bigEndian32(-1)),
];

/** @returns undefined for what makes no sense */
export function parseFlow(payload: Buffer): Flow | undefined {
  const tuple = inner(attributesOf(payload, headerBytes), flowAttribute.original);
  const addresses = inner(tuple, tupleAttribute.addresses);
  const protocol = inner(tuple, tupleAttribute.protocol);
  const [source, destination] = [addresses.get(addressAttribute.source), addresses.get(addressAttribute.destination)];
  const number = protocol.get(protocolAttribute.number)?.[0];
  if (source?.length !== 4 || destination?.length !== 4 || number === undefined) return undefined;
  const port = (type: number): number => protocol.get(type)?.readUInt16BE(0) ?? 0;
  return {
    protocol: number,
    source: Buffer.from(source),
    destination: Buffer.from(destination),
    sourcePort: port(protocolAttribute.sourcePort),
    destinationPort: port(protocolAttribute.destinationPort),
  };
}

const nothing: ReadonlyMap<number, Buffer> = new Map();

function inner(attributes: ReadonlyMap<number, Buffer>, type: number): ReadonlyMap<number, Buffer> {
  const bytes = attributes.get(type);
  return bytes === undefined ? nothing : attributesOf(bytes, 0);
}
