/** Lanes: a request that says that it is in one goes to the alias of this name, and to `live` where a function has none. */
import { z } from 'zod';
import { stickySchema } from './traffic.ts';

/** What becomes of a request whose lane the function does not have. */
export const missingLaneRules = ['main', 'refuse'] as const;

export const lanesSchema = z.strictObject({
  /** What of a request says in which lane it is. */
  by: stickySchema,
  missing: z.enum(missingLaneRules).default('main'),
});
export type LanesConfig = Readonly<z.output<typeof lanesSchema>>;
