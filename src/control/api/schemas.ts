/** What goes in and out; the OpenAPI document is made of it. */
import { z } from 'zod';
import { errorKinds, type ErrorCode } from '../../model/errors.ts';
import { digestSchema, type Version, versionSchema } from '../../model/function.ts';
import { nameSchema } from '../../model/names.ts';
import { sizeAdviceSchema } from '../../model/size.ts';
import { bundleStateSchema, instanceSummarySchema, networkCountsSchema, provisionedSchema } from '../../wire/agent-calls.ts';
import { scalingViewSchema } from '../../wire/scale-calls.ts';

const codes = Object.keys(errorKinds) as [ErrorCode, ...ErrorCode[]];

export const problemSchema = z
  .object({
    type: z.url(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(codes),
    requestId: z.string(),
    place: z.string().optional(),
    limit: z.string().optional(),
    retryAfterSeconds: z.int().optional(),
  })
  .describe('Problem details (RFC 9457)');

export const problemMediaType = 'application/problem+json';

/** The answer of every route when something is wrong. */
export const problems = {
  default: { description: 'What went wrong, and what to do about it', content: { [problemMediaType]: { schema: problemSchema } } },
};

export const nameParams = z.object({ name: nameSchema.describe('The name of the function') });
export const digestParams = z.object({ digest: digestSchema.describe('SHA-256 of the bundle, in hex') });

export const functionSummarySchema = z.object({
  name: nameSchema,
  url: z.url(),
  createdAt: z.iso.datetime(),
  /** The version that serves, or most of what is divided. */
  serving: versionSchema,
});

export const functionSchema = functionSummarySchema.extend({
  instances: z.array(instanceSummarySchema),
  /** False while the agent is away: then nobody knows what runs, and `instances` is empty. */
  instancesKnown: z.boolean(),
  /** How the provisioned instances are, when the serving version wants any and the agent tells. */
  provisioned: provisionedSchema.pick({ version: true, requested: true, ready: true, failed: true }).optional(),
  /** Why each version's number of instances is what it is; those that have had nothing to do for a while are left out. */
  scaling: z.array(scalingViewSchema),
  /** What its own connections came to since the agent started; absent where functions have no network. */
  networkCounts: networkCountsSchema.optional(),
  bundle: bundleStateSchema.optional(),
  sizeAdvice: sizeAdviceSchema.optional(),
});

const hidden = '***';

/** A version whose variables have names, but no values. */
export const withHiddenValues = (version: Version): Version => ({
  ...version,
  config: { ...version.config, environment: Object.fromEntries(Object.keys(version.config.environment).map((name) => [name, hidden])) },
});

/** A flag in a query. */
export const flagSchema = z.stringbool().default(false);
