/** Other programs' rules that keep this host from passing on what sandboxes send: Docker's, or an administrator's. They are told of, never changed. */
import { z } from 'zod';
import { Nftables } from '../linux/nftables.ts';
import { hostInterfaces } from './address-plan.ts';
import type { Missing } from './try-network.ts';

const chainSchema = z.object({
  chain: z.object({ family: z.string(), table: z.string(), name: z.string(), hook: z.literal('forward'), policy: z.literal('drop') }),
});
const listingSchema = z.object({ nftables: z.array(z.unknown()) });
/** What Docker leaves to the administrator. */
const dockerChain = 'DOCKER-USER';

/** A chain that drops what nobody lets through. */
export interface DroppingChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
}

/** Pure. @param listing what `nft -j list chains` says */
export function droppingChains(listing: unknown): DroppingChain[] {
  return listingSchema.parse(listing).nftables.flatMap((entry) => {
    const parsed = chainSchema.safeParse(entry);
    return parsed.success ? [parsed.data.chain] : [];
  });
}

/** Of this thread's network namespace. @returns undefined when nothing stands in the way @throws Error with what nft says */
export function inTheWay(): Missing | undefined {
  using rules = new Nftables();
  for (const { family, table, name } of droppingChains(rules.list('list chains'))) {
    const text = JSON.stringify(rules.list(`list table ${family} ${table}`));
    if (text.includes(`"${hostInterfaces}`)) continue;
    const [from, to] = [`-i ${hostInterfaces}+ -j ACCEPT`, `-o ${hostInterfaces}+ -j ACCEPT`];
    const remedy = text.includes(`"${dockerChain}"`)
      ? `iptables -I ${dockerChain} ${from}; iptables -I ${dockerChain} ${to}`
      : `let it accept what comes from, and goes to, the interfaces ${hostInterfaces}*`;
    return { detail: `the chain ${name} of the table ${family} ${table} drops what this host passes on`, remedy };
  }
  return undefined;
}
