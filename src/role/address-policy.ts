/** Which addresses what functions cause may be sent to: public ones, and those that the operator allows. */
import ipaddr from 'ipaddr.js';

export interface AddressPolicy {
  /** @param address as the resolver gives it, or as it stands in a URL without its brackets */
  allows(address: string): boolean;
}

/** Of IPv6, nothing else has been given to the Internet. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

const isPublic = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(globalUnicast));

/**
 * @param allowed CIDR ranges that are allowed although they are not public
 * @param ownAddresses the host's own ones, which are not allowed although they may be public
 */
export function addressPolicy(allowed: readonly string[], ownAddresses: () => readonly string[]): AddressPolicy {
  const ranges = allowed.map((range) => ipaddr.parseCIDR(range));
  return {
    allows(address) {
      if (!ipaddr.isValid(address)) return false;
      // An IPv4 address in the clothes of IPv6 is what it is.
      const parsed = ipaddr.process(address);
      if (ranges.some((range) => parsed.kind() === range[0].kind() && parsed.match(range))) return true;
      if (!isPublic(parsed)) return false;
      const text = parsed.toNormalizedString();
      return !ownAddresses().some((own) => ipaddr.isValid(own) && ipaddr.process(own).toNormalizedString() === text);
    },
  };
}
