/** A private network: ranges of addresses that functions reach through a pair of proxies. */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { maxNetworkTargetLength, maxPrivateRanges } from './limits.ts';
import { nameSchema } from './names.ts';
import { parseRange } from './network-target.ts';

/** What cannot be anybody's private network, and why. */
const taken: readonly (readonly [range: string, why: string])[] = [
  ['0.0.0.0/8', 'it stands for no address'],
  ['127.0.0.0/8', 'it is every host’s own'],
  ['169.254.0.0/16', 'it is link-local'],
  ['198.18.0.0/15', 'sandboxes have addresses in it'],
  ['224.0.0.0/3', 'it is multicast, or reserved'],
];

/** Whether two ranges of IPv4 have an address in common. @param one of the form 10.0.0.0/8, as the other */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [parseRange(one), parseRange(other)];
  return ipaddr.IPv4.parse(a.address).match(ipaddr.IPv4.parse(b.address), Math.min(a.prefix, b.prefix));
}

/** @returns what is wrong with it; undefined when nothing is */
function rangeMistake(text: string): string | undefined {
  try {
    if (parseRange(text).family === 6) return `"${text}" is IPv6; a private network has ranges of IPv4`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const found = taken.find(([range]) => overlap(range, text));
  return found === undefined ? undefined : `"${text}" cannot be in a private network: it overlaps ${found[0]}, and ${found[1]}`;
}

const rangeSchema = z
  .string('it is text, such as 10.20.0.0/16')
  .max(maxNetworkTargetLength)
  .superRefine((text, context) => {
    const message = rangeMistake(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const rangesSchema = z
  .array(rangeSchema, 'it is a list of ranges, such as 10.20.0.0/16')
  .min(1, 'a private network has a range at least, such as 10.20.0.0/16')
  .max(maxPrivateRanges, `a private network has at most ${maxPrivateRanges} ranges`)
  .superRefine((ranges, context) => {
    if (ranges.some((range) => rangeMistake(range) !== undefined)) return;
    for (const [at, range] of ranges.entries()) {
      const other = ranges.slice(0, at).find((before) => overlap(before, range));
      if (other === undefined) continue;
      context.addIssue({ code: 'custom', path: [at], message: `"${range}" overlaps "${other}"; one of both is enough` });
    }
  });

const proxySchema = z
  .ipv4('a proxy is named by its IPv4 address, such as 192.0.2.10')
  .refine(
    (address) => !ipaddr.IPv4.isValidFourPartDecimal(address) || !taken.some(([range]) => overlap(range, address)),
    'a proxy is another host than this one: name its address',
  );

/** What its owner says of it. */
export const privateNetworkSettingsSchema = z.strictObject({
  ranges: rangesSchema.describe('Its addresses, as ranges of IPv4'),
  proxies: z
    .tuple([proxySchema, proxySchema], 'a private network has two proxies, each on a host of its own')
    .refine(([one, other]) => one !== other, 'the two proxies are on hosts of their own')
    .describe('The hosts of its proxies, as the platform’s host reaches them; the first is used while both answer'),
});
export type PrivateNetworkSettings = Readonly<z.output<typeof privateNetworkSettingsSchema>>;

export const privateNetworkSchema = z.object({
  tenant: nameSchema,
  name: nameSchema,
  /** Told apart by it on hosts: no two of a platform have the same. */
  number: z
    .int()
    .min(1)
    .max(2 ** 23 - 1),
  ranges: z.array(z.string()).readonly(),
  proxies: z.tuple([z.string(), z.string()]),
});
export type PrivateNetwork = Readonly<z.output<typeof privateNetworkSchema>>;

/** Two of several networks that have an address in common: of a function's own nobody could say which is meant. */
export function overlapping(networks: readonly Pick<PrivateNetwork, 'name' | 'ranges'>[]): readonly [string, string] | undefined {
  for (const [at, one] of networks.entries())
    for (const other of networks.slice(0, at))
      if (one.ranges.some((range) => other.ranges.some((its) => overlap(range, its)))) return [other.name, one.name];
  return undefined;
}
