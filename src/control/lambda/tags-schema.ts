import { z } from 'zod';

const maxTags = 50;

/** Tags, as AWS limits them. */
export const tagsSchema = z
  .record(z.string().min(1).max(128), z.string().max(256))
  .refine((tags) => Object.keys(tags).length <= maxTags, `at most ${maxTags} tags`);
