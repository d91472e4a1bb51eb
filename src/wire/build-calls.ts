/**
 * How control has an agent install dependencies: POST on a socket of its own, `BuildOrder` as JSON. Answered with 200 and lines, each of them
 * a `BuildLine`, of which the last says how it ended; or with another status and a `BuildRefusal`. Whoever hangs up ends the build.
 */
import { z } from 'zod';
import { isErrorCode } from '../model/errors.ts';
import { nameSchema } from '../model/names.ts';
import { buildRuntimeSchema } from '../model/runtimes.ts';

export const buildOrderSchema = z.object({
  /** Whose dependencies they are. */
  tenant: nameSchema,
  runtime: buildRuntimeSchema,
  /** Whether the packages' install scripts are run. */
  scripts: z.boolean(),
  /** The files that say what is installed, by path, in base64. */
  inputs: z.record(z.string(), z.base64()),
});
export type BuildOrder = z.output<typeof buildOrderSchema>;

export const buildRefusalSchema = z.object({ code: z.string().refine(isErrorCode), message: z.string() });
export type BuildRefusal = z.output<typeof buildRefusalSchema>;

export const buildLineSchema = z.union([
  z.object({ log: z.string() }),
  /** A piece of a bundle that has `node_modules/…` or `site-packages/…`, in base64. */
  z.object({ modules: z.string() }),
  /** The bundle is whole. */
  z.object({ end: z.literal(true) }),
  z.object({ failed: buildRefusalSchema }),
]);
export type BuildLine = z.output<typeof buildLineSchema>;

/** Bytes of a bundle in one line, and bytes of one line at most. */
export const moduleBytesAtOnce = 48 * 1024;
export const maxBuildLineBytes = 128 * 1024;

export const lineOf = (line: BuildLine): string => `${JSON.stringify(line)}\n`;
