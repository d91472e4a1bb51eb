/** A connection that was refused: read from the kernel's log, and told to the function's owner. */
import { attributesOf, type NetlinkMessage } from '../linux/netlink.ts';
import { listsOf, type NetworkPolicy } from '../../model/network-policy.ts';
import { means } from '../../model/network-target.ts';
import { allowanceOf, type Divisor } from './allowance.ts';
import { addressText } from './address-plan.ts';

/** Which rule refused, by the name of its chain; `host` is the only one outside of the router. */
export type Reason = 'unbound' | 'closed' | 'neighbour' | 'denied' | 'unlisted' | 'often' | 'many' | 'router' | 'unreachable' | 'host';
const reasons: ReadonlySet<string> = new Set<Reason>([
  'unbound',
  'closed',
  'neighbour',
  'denied',
  'unlisted',
  'often',
  'many',
  'router',
  'unreachable',
  'host',
]);

export interface Refusal {
  readonly reason: Reason;
  /** 4 or 16 bytes. */
  readonly source: Buffer;
  readonly destination: Buffer;
  readonly protocol: 'TCP' | 'UDP' | 'another protocol';
  readonly port: number | undefined;
}

const logPacket = 0x0400;
const logHeaderBytes = 4;
const logAttribute = { payload: 9, prefix: 10 } as const;
const tcp = 6;
const udp = 17;
const ipv6HeaderBytes = 40;

/** @returns undefined for a message of another kind, or one that makes no sense */
export function parseRefusal({ type, payload }: NetlinkMessage): Refusal | undefined {
  if (type !== logPacket) return undefined;
  const attributes = attributesOf(payload, logHeaderBytes);
  const reason = String(attributes.get(logAttribute.prefix) ?? '').replace(/\0$/, '');
  const packet = attributes.get(logAttribute.payload);
  return packet === undefined || !isReason(reason) ? undefined : parsePacket(reason, packet);
}

const isReason = (text: string): text is Reason => reasons.has(text);

function parsePacket(reason: Reason, packet: Buffer): Refusal | undefined {
  const isV4 = (packet[0] ?? 0) >> 4 === 4;
  const headerBytes = isV4 ? ((packet[0] ?? 0) & 0xf) * 4 : ipv6HeaderBytes;
  if (packet.length < headerBytes + 4) return undefined;
  const number = packet[isV4 ? 9 : 6];
  const hasPorts = number === tcp || number === udp;
  return {
    reason,
    source: Buffer.from(isV4 ? packet.subarray(12, 16) : packet.subarray(8, 24)),
    destination: Buffer.from(isV4 ? packet.subarray(16, 20) : packet.subarray(24, 40)),
    protocol: number === tcp ? 'TCP' : number === udp ? 'UDP' : 'another protocol',
    port: hasPorts ? packet.readUInt16BE(headerBytes + 2) : undefined,
  };
}

/** What is said in the function’s log. @param policy the function’s own @param divisor of its limits on connections */
export function refusalText(refusal: Refusal, policy: NetworkPolicy | undefined, divisor: Divisor): string {
  const address = addressText(refusal.destination);
  const shown = address.includes(':') ? `[${address}]` : address;
  const port = refusal.port === undefined ? '' : `:${refusal.port}`;
  return `network: a connection to ${shown}${port} (${refusal.protocol}) was refused: ${why(refusal, policy, divisor)}`;
}

function why({ reason, destination, port }: Refusal, policy: NetworkPolicy | undefined, divisor: Divisor): string {
  switch (reason) {
    case 'unbound':
      return 'the function has "network: none"';
    case 'closed':
      return 'private, link-local, metadata and reserved addresses are closed; the operator can open a range with --egress-allow';
    case 'host':
      return 'it is an address of the host that the function runs on; the operator can open it with --egress-allow';
    case 'neighbour':
      return 'it is the address of a sandbox';
    case 'router':
      return 'the resolver’s address answers DNS and nothing else';
    case 'unreachable':
      return 'no proxy of the private network answers; `swiftlet network describe` says more';
    case 'denied': {
      const deny = policy === undefined || typeof policy === 'string' ? [] : listsOf(policy).deny;
      const line = deny.find((target) => means(target, addressText(destination), port));
      return `the function’s "network.deny" has it${line === undefined ? '' : `: ${line.text}`}`;
    }
    case 'unlisted':
      return 'the function’s "network.allow" does not have it, nor a name that it was resolved from';
    case 'often': {
      const { perSecond, burst } = allowanceOf(divisor);
      return `a sandbox ${ofFunction(divisor)}opens at most ${perSecond} connections a second, ${burst} at once, and asks as often for names`;
    }
    case 'many':
      return `a sandbox ${ofFunction(divisor)}has at most ${allowanceOf(divisor).connections} connections open`;
  }
}

const ofFunction = (divisor: Divisor): string => (divisor === 1 ? '' : 'of a function with such a "maximum" of instances ');
