/** What each of several agents tells gateways, without being asked, so that they know where to start what. With one agent nothing of it is said. */
import { z } from 'zod';

const count = z.int().min(0);

/** Notice `offer`, whenever it differs from the one before. */
export const offerSchema = z.object({
  /** Sandboxes that may be instances yet, and how many it runs at most. */
  places: count,
  capacity: count,
  /** What its sandboxes may take yet of its memory. */
  freeMiB: z.number(),
  /** Warm sandboxes by kind. */
  pools: z.array(z.object({ runtime: z.string(), memoryMiB: z.int(), ready: count })),
  /** Of versions that have instances there: how many of them nobody has, and how many more it may start. */
  versions: z.array(z.object({ id: z.string(), resting: count, room: count })),
});
export type Offer = z.output<typeof offerSchema>;

/** Notice `cached`, before the first offer and whenever it changes: code that is unpacked there, by tenant and digest. */
export const cachedSchema = z.object({
  /** Nothing that was said before holds. */
  isFirst: z.boolean(),
  added: z.array(z.string()),
  removed: z.array(z.string()),
});
export type Cached = z.output<typeof cachedSchema>;
