/** A build on the platform: from a function's own files to an artifact that has its dependencies, too. */
import { z } from 'zod';
import { digestSchema } from './function.ts';
import { buildRuntimeSchema, defaultRuntime } from './runtimes.ts';

export const buildRequestSchema = z.strictObject({
  source: digestSchema.describe(
    'An uploaded artifact with package.json and package-lock.json, and without node_modules; for Python with requirements.txt or pyproject.toml, and without site-packages',
  ),
  runtime: buildRuntimeSchema.default(defaultRuntime).describe('Dependencies are installed by this runtime'),
  scripts: z.boolean().default(false).describe('Whether the install scripts of packages are run'),
});
export type BuildRequest = z.output<typeof buildRequestSchema>;

/** What was built. */
export const builtSchema = z.object({
  digest: digestSchema.describe('The artifact’s'),
  size: z.int().min(0).describe('Bytes, packed'),
  cached: z.boolean().describe('Whether the dependencies are those of an earlier build that asked for the same'),
});
export type Built = z.output<typeof builtSchema>;

/** A line of the answer: what was said on the way, and last how it ended. */
export const buildRecordSchema = z.union([
  z.object({ log: z.string() }),
  z.object({ built: builtSchema }),
  z.object({
    failed: z.object({ code: z.string(), detail: z.string(), requestId: z.string() }).describe('A problem, as an answer has it'),
  }),
]);
export type BuildRecord = z.output<typeof buildRecordSchema>;
