/** What control asks of a gateway. The gateway serves; bodies are parsed by these schemas at its door. */
import { z } from 'zod';

/** Upper bounds of the times that a watched version's requests are sorted by: each a quarter above the one before. */
export const watchBoundsMs: readonly number[] = Array.from({ length: 60 }, (_, at) => 0.5 * 1.25 ** at);

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
