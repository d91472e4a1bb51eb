import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { AddressPolicy } from './address-policy.ts';

/**
 * Looks names up and gives those addresses only that are allowed: what is given is what is connected to, whatever the name says next.
 * @param forbidden what it fails with, of a name or an address and what it leads to
 */
export const guardedLookup =
  (policy: AddressPolicy, forbidden: (what: string) => Error, lookup = systemLookup): LookupFunction =>
  (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const allowed = found.filter(({ address }) => policy.allows(address));
      const [first] = allowed;
      if (first === undefined) callback(forbidden(`${host} (${found.map(({ address }) => address).join(', ')})`), []);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
