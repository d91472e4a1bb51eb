import { z } from 'zod';

/** What the API says of used resources. */
export const usageSchema = z.object({
  usage: z.array(
    z.object({
      function: z.string(),
      day: z.string(),
      invocations: z.int(),
      coldStarts: z.int(),
      thawed: z.int(),
      awakened: z.int().default(0),
      provisioned: z.int(),
      gbSeconds: z.number(),
      billedMs: z.number(),
      platformMs: z.number(),
      prepaidMs: z.number(),
    }),
  ),
  complete: z.boolean(),
});
export type Usage = z.output<typeof usageSchema>;
