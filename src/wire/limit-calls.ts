/** What gateways that share ports ask the agent of their host, so that limits hold for all of them together. The agent counts; what the limits are gateways know. */
import { z } from 'zod';

/** Ask `permits`: places for requests at once. Answered with how many the gateway may have in all; never fewer than it has in use. */
export const permitsSchema = z.object({
  key: z.string().max(500),
  /** For all gateways together. */
  limit: z.int().min(0),
  /** What this one has in use, and what it would like to have. */
  inUse: z.int().min(0),
  wanted: z.int().min(0),
});
export type Permits = z.output<typeof permitsSchema>;
/** Each grant of an agent has a number, larger than those before. */
const grant = z.int().min(0);
export const permittedSchema = z.object({ held: z.int().min(0), grant });
export type Permitted = z.output<typeof permittedSchema>;

/**
 * Notice `recall`, from the agent: another gateway lacks permits. Answered by the notice `kept`: what this one goes on with, and by which grant. The
 * agent may have granted it more meanwhile: then that is what it has.
 */
export const recallSchema = z.object({ key: z.string() });
export const keptSchema = z.object({ key: z.string(), held: z.int().min(0), grant });
export type Kept = z.output<typeof keptSchema>;

/** Notice `held permits`, from a gateway to an agent that is new to it: all that it has. It is the last of what the agent has to know of it. */
export const heldPermitsSchema = z.object({ permits: z.array(keptSchema) });

/** Ask `tokens`: one of each bucket, or of none when one has none. */
export const tokensSchema = z.object({
  buckets: z.array(z.object({ key: z.string(), perSecond: z.number().positive(), burst: z.number().min(1) })),
});
export type Tokens = z.output<typeof tokensSchema>;
/** Which bucket had none, and when it has one. */
export const takenSchema = z.object({ empty: z.object({ at: z.int(), retryAfterMs: z.number() }).optional() });
export type Taken = z.output<typeof takenSchema>;

/** Ask `nonce`: whether a signature's nonce is new to all gateways. Times are milliseconds since 1970. */
export const nonceSchema = z.object({ key: z.string(), nonce: z.string().max(64), untilMs: z.number() });
/** Notice `seen nonces`, from a gateway to an agent that is new to it, before it says what it holds: those that it took. */
export const seenNoncesSchema = z.object({ nonces: z.array(nonceSchema) });
export const newNonceSchema = z.object({ isNew: z.boolean() });
