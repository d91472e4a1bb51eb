/** What control asks of a gateway. The gateway serves; bodies are parsed by these schemas at its door. */
import { z } from 'zod';
import { tokenIdSchema } from '../model/token.ts';

/** Upper bounds of the times that a watched version's requests are sorted by: each a quarter above the one before. */
export const watchBoundsMs: readonly number[] = Array.from({ length: 60 }, (_, at) => 0.5 * 1.25 ** at);

/**
 * Notice `spent`, from control: the tenants that have used up their quota of GB-seconds for a day, which is told as the number of days
 * since 1970, in UTC. Sent when it changes, and to whoever comes.
 */
export const spentSchema = z.object({ day: z.int(), tenants: z.array(z.string()) });
export type Spent = Readonly<z.output<typeof spentSchema>>;

/** Notice `unknown key`, from gateways: a token of this issuer is signed with a key that control has not published. */
export const unknownKeySchema = z.object({ issuer: z.string().max(2_048) });

/**
 * Notice `access keys`, from control: what signatures of requests are verified with, by the ids of the tokens that the keys are. Never the keys:
 * each of these is good for one day (see `dayKeyOf`). Sent when it changes, and to whoever comes.
 */
export const accessKeysSchema = z.object({
  keys: z.array(
    z.object({
      id: tokenIdSchema,
      /** In Base64, by the day as signatures name it. */
      days: z.record(z.string(), z.string()),
    }),
  ),
});
export type AccessKeysNotice = Readonly<z.output<typeof accessKeysSchema>>;

/** Notice `unknown caller key`, from gateways: a token for a function's address is signed with a key that is not in this set. */
export const unknownCallerKeySchema = z.object({ id: z.string().max(4_096) });

/** Notice `caller keys`, from control: the public keys of issuers whose tokens functions let in. Sent when they change, and to whoever comes. */
export const callerKeysSchema = z.object({
  sources: z.array(z.object({ id: z.string(), issuer: z.string(), keys: z.array(z.record(z.string(), z.unknown())) })),
});
export type CallerKeysNotice = z.output<typeof callerKeysSchema>;

/** Ask `watched`: how the versions of a function did since their watch began. */
export const askWatchedSchema = z.object({ tenant: z.string(), function: z.string() });

export const versionCountsSchema = z.object({
  version: z.int(),
  requests: z.int(),
  /** Requests that failed for no fault of the caller's, and answers with a status of 500 and more. */
  errors: z.int(),
  /** Requests by how long they took, one number for each of the bounds and one for what is above them all. */
  times: z.array(z.int()),
});
export type VersionCounts = Readonly<z.output<typeof versionCountsSchema>>;

export const watchedSchema = z.object({
  /** As it was published; undefined while no version of the function is watched. */
  watch: z.int().optional(),
  versions: z.array(versionCountsSchema),
});
export type Watched = z.output<typeof watchedSchema>;

/** Ask `calls`: which functions this one called, and which called it. */
export const askCallsSchema = z.object({ tenant: z.string(), function: z.string() });

export const functionCallsSchema = z.object({
  since: z.iso.datetime().describe('When the gateway began to count'),
  calls: z.array(
    z.object({
      caller: z.string(),
      callee: z.string(),
      kind: z.enum(['sync', 'async']).describe('Whether the answer was waited for'),
      outcome: z.string().describe('`ok` or an error code'),
      count: z.int(),
    }),
  ),
});
export type FunctionCalls = z.output<typeof functionCallsSchema>;
