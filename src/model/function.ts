import { z } from 'zod';
import { destinationsSchema } from './destination.ts';
import * as limits from './limits.ts';
import { nameSchema } from './names.ts';
import { defaultPlan, rolloutPlanSchema } from './rollout.ts';
import { defaultRuntime, runtimeSchema } from './runtimes.ts';
import { timerSchema } from './timer.ts';

/** `file.export`, `dir/file.export`, or only `file` (then the export is `handler` or `default`); the file has no extension. */
export const handlerPattern = /^(?!\/)(?!.*\.\.)[\w@./-]+?(?:\.[A-Za-z_$][\w$]*)?$/;

const between = (range: { readonly min: number; readonly max: number; readonly default: number }) =>
  z.int().min(range.min).max(range.max).default(range.default);

/** Why a minimum above the maximum is refused. */
export const tooManyAtLeast = (minimum: number, maximum: number): string =>
  `${minimum} instances at least are more than ${maximum} at most`;

const environmentSchema = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable is named with letters, digits and underscores, not starting with a digit'),
    z.string(),
  )
  .refine(
    (variables) => !Object.keys(variables).some((name) => name.startsWith('SWIFTLET_')),
    'names that start with SWIFTLET_ are the platform’s',
  )
  .refine(
    (variables) =>
      Object.entries(variables).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 2, 0) <=
      limits.maxEnvironmentBytes,
    `the variables together are over ${String(limits.maxEnvironmentBytes)} bytes`,
  );

/** What becomes of an event that no attempt could deal with: kept with its bytes, or let go. */
export const failurePolicies = ['dead-letter', 'discard'] as const;

/** How a function's events are delivered when nobody waits for the answer. */
export const asyncConfigSchema = z.strictObject({
  /** Attempts after the first one. */
  retries: between(limits.asyncRetries),
  /** The pause before the first retry; each further one is twice as long. */
  backoffMs: between(limits.asyncBackoffMs),
  /** An event that is older is not tried any more. */
  maximumAgeMs: between(limits.asyncMaximumAgeMs),
  /** Events delivered at the same time. */
  inFlight: between(limits.asyncInFlight),
  onFailure: z.enum(failurePolicies).default('dead-letter'),
  /** How long a request with the same idempotency key is the same event. */
  idempotencyWindowMs: between(limits.idempotencyWindowMs),
});
export type AsyncConfig = z.output<typeof asyncConfigSchema>;

/** When the clock invokes it, by the timers' names. */
const timersSchema = z
  .record(nameSchema, timerSchema)
  .refine((timers) => Object.keys(timers).length <= limits.maxTimers, `a function has at most ${String(limits.maxTimers)} timers`);
/** What an instance is for: one request after the other, or a single one. */
export const processKinds = ['resident', 'one-shot'] as const;
/** Who may ask for a version of a function by the header x-swiftlet-version: whoever has the platform's token, or anyone. */
export const versionHeaderRules = ['token', 'anyone'] as const;

/** What a version is configured with, complete: every default is filled in. Immutable with its version. */
export const functionConfigSchema = z
  .strictObject({
    runtime: runtimeSchema.default(defaultRuntime),
    handler: z
      .string()
      .max(256)
      .regex(handlerPattern, 'a handler is "file.export" without the file’s extension, relative to the bundle')
      .default('index'),
    memoryMiB: between(limits.memoryMiB),
    timeoutMs: between(limits.timeoutMs),
    initTimeoutMs: between(limits.initTimeoutMs),
    environment: environmentSchema.default({}),
    /** Requests one instance takes at once. */
    concurrency: between(limits.concurrency),
    process: z.enum(processKinds).default('resident'),
    /** Provisioned instances: ready before there is traffic, never frozen nor ended for being idle. */
    minimum: between({ ...limits.instances, default: 0 }),
    /** Instances never exceeded. */
    maximum: z.int().min(1).max(limits.instances.max).default(limits.instances.default),
    /** How long an instance without requests is kept. */
    idleMs: between(limits.idleMs),
    /** After how long without requests it is frozen; never when that is not below `idleMs`. */
    freezeMs: between(limits.freezeMs),
    /** Requests that may wait for an instance, and for how long. */
    queueLength: between(limits.queueLength),
    queueTimeoutMs: between(limits.queueTimeoutMs),
    async: asyncConfigSchema.prefault({}),
    timers: timersSchema.default({}),
    destinations: destinationsSchema.default({}),
    /** How this version takes over when it is deployed. */
    rollout: rolloutPlanSchema.default(defaultPlan),
    versionHeader: z.enum(versionHeaderRules).default('token'),
  })
  .superRefine(({ minimum, maximum, process, concurrency }, context) => {
    if (minimum > maximum) context.addIssue({ code: 'custom', message: tooManyAtLeast(minimum, maximum), path: ['minimum'] });
    if (process === 'one-shot' && concurrency > 1) {
      const message = `a one-shot instance takes a single request, not ${concurrency} at once`;
      context.addIssue({ code: 'custom', message, path: ['concurrency'] });
    }
  })
  .refine(
    ({ destinations, environment }) =>
      [destinations.success, destinations.failure].every(
        (one) => one?.kind !== 'webhook' || (environment[one.secretVariable] ?? '') !== '',
      ),
    {
      error: 'the variable that is to have a webhook’s secret is not in the environment, or empty',
      path: ['destinations'],
    },
  );

export type FunctionConfig = z.output<typeof functionConfigSchema>;

/** An artifact's address: the SHA-256 of its archive, in hex. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a digest is 64 hexadecimal digits');

/** Immutable: what one number of a function means, for ever. */
export const versionSchema = z.object({
  tenant: nameSchema,
  function: nameSchema,
  number: z.int().min(1),
  digest: digestSchema,
  /** Bytes of the packed artifact. */
  size: z.int().min(0),
  config: functionConfigSchema,
  createdAt: z.iso.datetime(),
});
export type Version = z.output<typeof versionSchema>;

/** Names one version over the whole platform, for logs, leases and maps: `tenant/function@number`. */
export type VersionId = `${string}/${string}@${number}`;

export const versionIdOf = (version: Pick<Version, 'tenant' | 'function' | 'number'>): VersionId =>
  `${version.tenant}/${version.function}@${version.number}`;
