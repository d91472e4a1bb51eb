/** What a line of a function's `network` names: addresses or a host's name, and ports. */
import ipaddr from 'ipaddr.js';

export interface Ports {
  readonly from: number;
  readonly to: number;
}

/** Whose packets are meant: all, those to a range of addresses, or those to the addresses that a name has. */
export type Destination =
  | { readonly kind: 'any' }
  | { readonly kind: 'range'; readonly family: 4 | 6; readonly address: string; readonly prefix: number }
  /** With a wildcard: the names below it, not itself. */
  | { readonly kind: 'name'; readonly name: string; readonly isWildcard: boolean };

export interface Target {
  /** As it was written. */
  readonly text: string;
  readonly to: Destination;
  /** Absent: all, and whatever is spoken. */
  readonly ports: Ports | undefined;
}

const lastPort = 65_535;
const bracketed = /^\[([^\]]*)\](?::(.*))?$/;
const named = /^(\*\.)?((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;
const longestName = 253;

/**
 * Reads `203.0.113.0/24`, `198.51.100.7:443`, `[2001:db8::/32]:8000-8080`, `api.example.com:443`, `*.example.com` or `*:25`.
 * @throws Error that says what is wrong with it
 */
export function parseTarget(text: string): Target {
  const [host, ports] = split(text);
  return { text, to: parseHost(host), ports: ports === undefined ? undefined : parsePorts(ports) };
}

function split(text: string): readonly [host: string, ports: string | undefined] {
  const inBrackets = bracketed.exec(text);
  if (inBrackets !== null) return [inBrackets[1] ?? '', inBrackets[2]];
  const [host = '', ports, ...more] = text.split(':');
  // An IPv6 address without brackets has no ports.
  return more.length > 0 ? [text, undefined] : [host, ports];
}

function parsePorts(text: string): Ports {
  const [from, to = from] = text.split('-').map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : Number.NaN));
  if (from === undefined || to === undefined || !(from >= 1 && to <= lastPort && from <= to) || text.split('-').length > 2) {
    throw new Error(`"${text}" is no port, nor a range like 8000-8080; ports are 1 to ${lastPort}`);
  }
  return { from, to };
}

function parseHost(host: string): Destination {
  if (host === '*') return { kind: 'any' };
  if (host.includes('/') || ipaddr.isValid(host)) return parseRange(host);
  const name = host.toLowerCase();
  const parts = named.exec(name);
  // All digits and dots: an address that was meant as one.
  if (parts?.[2] === undefined || name.length > longestName || /^[\d.]+$/.test(name)) {
    throw new Error(`"${host}" is no address, no range like 203.0.113.0/24, and no host name like api.example.com or *.example.com`);
  }
  return { kind: 'name', name: parts[2], isWildcard: parts[1] !== undefined };
}

/** @throws Error when it is none, or has bits behind its prefix */
export function parseRange(text: string): Extract<Destination, { kind: 'range' }> {
  // Forms of IPv4 with fewer than four numbers, or with octal ones, mean different addresses to different programs.
  const isPlain = text.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(text.replace(/\/.*$/, ''));
  const whole = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
  if (!isPlain || !ipaddr.isValidCIDR(whole)) throw new Error(`"${text}" is no address and no range of addresses like 203.0.113.0/24`);
  const [address, prefix] = ipaddr.parseCIDR(whole);
  if (address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()) {
    throw new Error(`"${text}" is IPv4 in the clothes of IPv6; write it as IPv4`);
  }
  const kind = address.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const network = kind.networkAddressFromCIDR(whole).toString();
  if (network !== address.toString()) throw new Error(`"${text}" has bits behind its prefix; the range is ${network}/${prefix}`);
  return { kind: 'range', family: address.kind() === 'ipv4' ? 4 : 6, address: network, prefix };
}

/** Whether a target means these addresses. One with a name never does: what it means is known when it was resolved. */
export function means({ to, ports }: Target, address: string, port: number | undefined): boolean {
  if (ports !== undefined && (port === undefined || port < ports.from || port > ports.to)) return false;
  if (to.kind === 'any') return true;
  if (to.kind === 'name') return false;
  const found = ipaddr.process(address);
  return found.kind() === `ipv${to.family}` && found.match([ipaddr.parse(to.address), to.prefix] as [ipaddr.IPv4, number]);
}

/** Whether a target has this name. @param name in lower case, without the dot at its end */
export const hasName = ({ to }: Target, name: string): boolean =>
  to.kind === 'name' && (to.isWildcard ? name.endsWith(`.${to.name}`) : name === to.name);
