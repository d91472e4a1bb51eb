/** How a function's requests are divided, as control publishes it. Nothing of it is needed for a function with one version. */
import { z } from 'zod';
import { digestSchema, versionSchema } from '../model/function.ts';
import { splitSchema, stickySchema } from '../model/traffic.ts';

export const routingSchema = z.object({
  /** Versions that take requests, or are about to, beside the serving one. */
  others: z.array(versionSchema).readonly().default([]),
  /** By name. Where `live` is missing, the serving version is. */
  aliases: z
    .array(z.object({ name: z.string(), versions: splitSchema, sticky: stickySchema.optional() }))
    .readonly()
    .default([]),
  /** Instances to keep of versions for which it is another number than their own minimum. */
  minimums: z
    .array(z.object({ version: z.int(), instances: z.int() }))
    .readonly()
    .default([]),
  /** Code that stays on the hosts, so that a way back needs no download. */
  standby: z.array(digestSchema).readonly().default([]),
  /** Its versions are counted one by one, from zero whenever this number changes. */
  watch: z.int().optional(),
});
export type Routing = Readonly<z.output<typeof routingSchema>>;

/** All requests to the serving version. */
export const plainRouting: Routing = { others: [], aliases: [], minimums: [], standby: [] };
