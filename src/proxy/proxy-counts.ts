import { z } from 'zod';
import type { NetworkCounts } from '../wire/agent-calls.ts';
import type { counters } from './proxy-rules.ts';

type Counter = (typeof counters)[number];

const counterSchema = z.object({ counter: z.object({ name: z.string(), packets: z.number(), bytes: z.number() }) });
const listingSchema = z.object({ nftables: z.array(z.unknown()) });

/** Reads what `nft -j list counters` says of a proxy’s table. Pure. */
export function readProxyCounts(listing: unknown): NetworkCounts {
  const found = new Map<string, { readonly packets: number; readonly bytes: number }>();
  for (const entry of listingSchema.parse(listing).nftables) {
    const parsed = counterSchema.safeParse(entry);
    if (parsed.success) found.set(parsed.data.counter.name, parsed.data.counter);
  }
  const of = (name: Counter, unit: 'packets' | 'bytes') => found.get(name)?.[unit] ?? 0;
  return {
    sentBytes: of('sent', 'bytes'),
    receivedBytes: of('received', 'bytes'),
    connections: of('opened', 'packets'),
    refused: of('refused', 'packets'),
  };
}
