import { z } from 'zod';
import { versionPoolSchema } from '../model/custom-pool.ts';

/** A custom pool as its sandboxes have it: whose it is, and what has run in them. */
export const customKindSchema = versionPoolSchema.extend({
  tenant: z.string(),
  /** The same for what boots alike, and for nothing else. */
  key: z.string(),
});
export type CustomKind = Readonly<z.output<typeof customKindSchema>>;
