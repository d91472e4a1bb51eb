/** Which addresses and names a platform's sandboxes have. Nobody outside the host ever sees them. */
import { family, type Range } from '../linux/links.ts';

/** Kept for measuring machines (RFC 2544): never given to anybody, so that no function has business there. */
const firstBlock = 0xc612_0000;
const blockPrefix = 19;
const blockCount = 16;
/** Below the first line’s address are the range’s own and the resolver’s. */
const firstLine = 2;
/** Lines that there can be at once. */
export const lineCount = 2 ** (32 - blockPrefix) - firstLine - 1;

/** Where the blocks of all platforms on a host are taken from. */
export const blocks = blockCount;

export interface AddressPlan {
  /** 0 to 15. */
  readonly block: number;
  /** The data folder’s id: eight hexadecimal digits. */
  readonly id: string;
}

/** A sandbox’s cable to the router: its number names its interface and its addresses. */
export type Line = number;

/** The interface on the host that leads to the router. */
export const hostInterface = ({ id }: Pick<AddressPlan, 'id'>): string => `swlt-${id}`;
/** What those of all platforms begin with. */
export const hostInterfaces = 'swlt-';
/** In the router, the interface that leads out. */
export const uplink = { name: 'up', index: 2 } as const;
/** Inside a sandbox. */
export const sandboxInterface = { name: 'eth0', index: 2 } as const;
const firstLineIndex = 16;
export const lineInterface = (line: Line) => ({ name: `s${line}`, index: firstLineIndex + line });
/** @returns undefined for an interface that is no line’s */
export const lineOf = (name: string): Line | undefined => (/^s\d+$/.test(name) ? Number(name.slice(1)) : undefined);

const block4 = ({ block }: AddressPlan): number => firstBlock + block * 2 ** (32 - blockPrefix);

function ipv4(address: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
}

/** A unique local address (RFC 4193) with the platform’s id in it. */
function ipv6({ id }: AddressPlan, host: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.write(`fd53${id}`, 'hex');
  bytes.writeUInt32BE(host, 12);
  return bytes;
}

export const everything4: Range = { family: family.ipv4, address: Buffer.alloc(4), prefix: 0 };
export const everything6: Range = { family: family.ipv6, address: Buffer.alloc(16), prefix: 0 };

/** All addresses of the platform. */
export const pool4 = (plan: AddressPlan): Range => ({ family: family.ipv4, address: ipv4(block4(plan)), prefix: blockPrefix });
export const pool6 = (plan: AddressPlan): Range => ({ family: family.ipv6, address: ipv6(plan, 0), prefix: 64 });

/** The router’s own, where the resolver listens. */
export const router4 = (plan: AddressPlan): Range => ({ family: family.ipv4, address: ipv4(block4(plan) + 1), prefix: 32 });
export const router6 = (plan: AddressPlan): Range => ({ family: family.ipv6, address: ipv6(plan, 1), prefix: 128 });

export const line4 = (plan: AddressPlan, line: Line): Range => ({
  family: family.ipv4,
  address: ipv4(block4(plan) + firstLine + line),
  prefix: 32,
});
export const line6 = (plan: AddressPlan, line: Line): Range => ({
  family: family.ipv6,
  address: ipv6(plan, firstLine + line),
  prefix: 128,
});

/** Whose line an address of the pool is. @param address 4 or 16 bytes @returns undefined for any other */
export function lineAt(plan: AddressPlan, address: Buffer): Line | undefined {
  const start = address.length === 4 ? ipv4(block4(plan)) : ipv6(plan, 0);
  const fixed = address.length - 4;
  if (!address.subarray(0, fixed).equals(start.subarray(0, fixed))) return undefined;
  const line = address.readUInt32BE(fixed) - start.readUInt32BE(fixed) - firstLine;
  return line >= 0 && line < lineCount ? line : undefined;
}

/** `198.18.0.0/19`, `fd53:…::/64`. */
export const rangeText = ({ address, prefix }: Range): string => `${addressText(address)}/${prefix}`;

/** Of IPv4, as four numbers. @param text parsed before */
export const addressBytes = (text: string): Buffer => Buffer.from(text.split('.').map(Number));

export function addressText(address: Buffer): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16));
  return groups.join(':');
}
