/** Where it goes how an event of a function ended. */
import { z } from 'zod';
import { maxWebhookUrlLength } from './limits.ts';
import { nameSchema } from './names.ts';
import { queueTargetSchema } from './queue-target.ts';

export const webhookUrlSchema = z
  .url({ protocol: /^https?$/, error: 'a webhook is a URL that begins with https:// or http://' })
  .max(maxWebhookUrlLength)
  .refine((url) => !/^[^/]*\/\/[^/]*@/.test(url), 'a URL has no user and no password here: a webhook is signed');

export const secretVariableSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'it is the name of a variable in "secrets" or "environment"');

export const destinationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('function'), function: nameSchema }),
  z.strictObject({
    kind: z.literal('webhook'),
    url: webhookUrlSchema,
    /** The variable among the function's secrets, or in its environment, that has the secret which signs it: so it is shown nowhere. */
    secretVariable: secretVariableSchema,
  }),
  z.strictObject({ kind: z.literal('queue'), to: queueTargetSchema }),
]);
export type Destination = z.output<typeof destinationSchema>;

/** By how an event ended: with success, or in whatever other way. */
export const destinationsSchema = z.strictObject({ success: destinationSchema.optional(), failure: destinationSchema.optional() });
export type Destinations = z.output<typeof destinationsSchema>;
