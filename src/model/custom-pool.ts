/** Custom pools: warm sandboxes of one tenant's that have imported what its functions are going to import. */
import { z } from 'zod';
import { layersSchema } from './layer.ts';
import { customPoolSize, maxPreloads, memoryMiB } from './limits.ts';
import { nameSchema } from './names.ts';
import { defaultRuntime, languageOf, type RuntimeName, runtimeNames, runtimeSchema } from './runtimes.ts';

/** A module as code names it when it imports it; never a path. */
const modulePattern = /^(?!.*\.\.)(?:node:)?(?:@[\w.~-]+\/)?\w[\w.~-]*(?:\/[\w.~@-]+)*$/;
const maxModuleCharacters = 200;

const preloadSchema = z
  .string()
  .max(maxModuleCharacters)
  .regex(modulePattern, 'a module is named as code imports it, such as @aws-sdk/client-s3 or boto3.session');

const size = z.int().min(customPoolSize.min).max(customPoolSize.max);

/** Runtimes that import modules; of programs nobody knows what they would. */
export const poolRuntimes: readonly RuntimeName[] = runtimeNames.filter((name) => languageOf(name) !== 'program');

/** What a pool is made of. Immutable: another one takes another name. */
export const poolSettingsSchema = z
  .strictObject({
    runtime: runtimeSchema.default(defaultRuntime),
    /** What its functions have: V8's heap is cut to it when a sandbox boots. */
    memoryMiB: z.int().min(memoryMiB.min).max(memoryMiB.max).default(memoryMiB.default),
    /** As `name:version`. Its functions build on them, before those of their own. */
    layers: layersSchema.default([]),
    /** Modules that its sandboxes import before anybody asks for them, in this order. */
    preload: z
      .array(preloadSchema)
      .min(1, 'a pool preloads something')
      .max(maxPreloads, `a pool preloads at most ${String(maxPreloads)} modules`),
    /** Warm sandboxes at least, and after a burst at most. */
    minimum: size.default(customPoolSize.minimum),
    maximum: size.default(customPoolSize.maximum),
  })
  .superRefine(({ runtime, preload, minimum, maximum }, context) => {
    if (!poolRuntimes.includes(runtime)) {
      const message = `sandboxes of "${runtime}" run programs, and import nothing; a pool has one of ${poolRuntimes.join(', ')}`;
      context.addIssue({ code: 'custom', message, path: ['runtime'] });
    }
    if (new Set(preload).size < preload.length) context.addIssue({ code: 'custom', message: 'a module is there twice', path: ['preload'] });
    if (minimum > maximum) {
      const message = `${minimum} sandboxes at least are more than ${maximum} at most`;
      context.addIssue({ code: 'custom', message, path: ['minimum'] });
    }
  });
export type PoolSettings = Readonly<z.output<typeof poolSettingsSchema>>;

/** What a version has of its pool: all that an agent needs to boot the same sandboxes, for as long as the version lives. */
export const versionPoolSchema = z.object({
  name: nameSchema,
  memoryMiB: z.int(),
  /** The artifacts of its layers, in their order. */
  layerDigests: z.array(z.string()).readonly(),
  preload: z.array(z.string()).readonly(),
  minimum: z.int(),
  maximum: z.int(),
});
export type VersionPool = Readonly<z.output<typeof versionPoolSchema>>;
