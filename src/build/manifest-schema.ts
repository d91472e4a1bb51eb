/** `swiftlet.yaml`, as people write it. The published JSON Schema is made from this. */
import { z } from 'zod';
import { failurePolicies, functionConfigSchema, versionHeaderRules } from '../model/function.ts';
import * as limits from '../model/limits.ts';
import { nameSchema } from '../model/names.ts';
import { rolloutStrategies } from '../model/rollout.ts';
import { defaultRuntime, runtimeNames } from '../model/runtimes.ts';
import { countSchema, durationSchema, memorySchema } from './quantities.ts';

const { handler, environment } = functionConfigSchema.shape;

export const queueSchema = z.strictObject(
  {
    length: countSchema(limits.queueLength).optional().describe('Requests that may wait; default 1,000'),
    timeout: durationSchema(limits.queueTimeoutMs).optional().describe('For how long; default 30 s'),
  },
  'it has the keys length and timeout',
);

export const asyncSchema = z.strictObject(
  {
    retries: countSchema(limits.asyncRetries).optional().describe('Attempts after the first one; default 2'),
    backoff: durationSchema(limits.asyncBackoffMs)
      .optional()
      .describe('The pause before the first retry, doubled before each further one; default 1 m'),
    maximumAge: durationSchema(limits.asyncMaximumAgeMs).optional().describe('How long an event is tried; default 6 h'),
    inFlight: countSchema(limits.asyncInFlight).optional().describe('Events delivered at the same time; default 10'),
    onFailure: z
      .enum(failurePolicies, 'it is dead-letter or discard')
      .optional()
      .describe('What becomes of an event that no attempt could deal with: kept in the dead-letter store (default), or discarded'),
  },
  'it has the keys retries, backoff, maximumAge, inFlight and onFailure',
);

const stickySettings = z.union(
  [z.strictObject({ header: z.string().transform((name) => name.toLowerCase()) }), z.strictObject({ cookie: z.string() })],
  'it is "header: x-user" or "cookie: session"',
);

const stepSchema = z.strictObject(
  {
    weight: z
      .number('it is a number of per cent')
      .describe('Of a hundred requests so many go to the new version; with one decimal at most'),
    for: durationSchema(limits.rolloutStepMs).describe('For how long'),
  },
  'a step has the keys weight and for',
);

export const rolloutSchema = z.strictObject(
  {
    strategy: z
      .enum(rolloutStrategies, `it is ${rolloutStrategies.join(', ')}`)
      .describe('All at once (default), a canary that grows by steps, or blue-green: warm first, then switch at once'),
    steps: z
      .array(stepSchema, 'it is a list of steps, such as "- { weight: 5, for: 1m }"')
      .optional()
      .describe('Of a canary, before the whole; default 5 % for 1 m, 25 % for 5 m'),
    sticky: stickySettings
      .optional()
      .describe('Of a canary: the header or cookie whose value decides, so that its sender always gets the same version'),
    keep: durationSchema(limits.rolloutKeepMs).optional().describe('Of blue-green: how long the version before is kept warm; default 10 m'),
  },
  'it has the keys strategy, steps, sticky and keep',
);

const patternsSchema = z.array(z.string('a pattern is text'), 'it is a list of patterns, as in .gitignore').optional();

export const buildSchema = z.strictObject(
  {
    install: z.enum(['auto', 'never']).optional().describe('auto: production dependencies when there is a package-lock.json'),
    include: patternsSchema.describe('Patterns that win over exclude'),
    exclude: patternsSchema.describe('Patterns left out of the bundle, as in .gitignore'),
  },
  'it has the keys install, include and exclude',
);

/** What `defaults` and each function can say. */
export const settingsSchema = z.strictObject({
  runtime: z.enum(runtimeNames).optional().describe(`The Node.js release line; default ${defaultRuntime}`),
  memory: memorySchema(limits.memoryMiB).optional().describe('Memory of one instance: MiB, or a number with MiB or GiB; default 128 MiB'),
  timeout: durationSchema(limits.timeoutMs)
    .optional()
    .describe('How long one request may take: seconds, or a number with ms, s, m or h; default 30 s'),
  initTimeout: durationSchema(limits.initTimeoutMs).optional().describe('How long the code outside the handler may take; default 10 s'),
  environment: z
    .record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean()], 'a value is text, a number, true or false').transform(String),
      'it has a variable on each line: NAME: value',
    )
    .pipe(environment.unwrap())
    .optional()
    .describe('Environment variables'),
  concurrency: countSchema(limits.concurrency).optional().describe('Requests that one instance takes at once; default 1'),
  minimum: countSchema(limits.instances).optional().describe('Instances kept even without traffic; default 0'),
  maximum: countSchema({ ...limits.instances, min: 1 })
    .optional()
    .describe('Instances never exceeded; default 100'),
  idle: durationSchema(limits.idleMs).optional().describe('How long an instance without requests is kept; default 60 s'),
  queue: queueSchema.optional().describe('Requests that wait while all instances are busy'),
  async: asyncSchema.optional().describe('Delivery of events that nobody waits for'),
  rollout: rolloutSchema.optional().describe('How a new version takes over'),
  versionHeader: z
    .enum(versionHeaderRules, `it is ${versionHeaderRules.join(' or ')}`)
    .optional()
    .describe('Who may ask for a version by x-swiftlet-version: whoever has the platform’s token (default), or anyone'),
  build: buildSchema.optional().describe('How the bundle is made'),
});

export const functionEntrySchema = z.strictObject(
  {
    source: z
      .string('it is the path of a folder')
      .optional()
      .describe(
        'The folder with the code, relative to this file; default: the folder of the function’s name if there is one, else this one',
      ),
    handler: handler.unwrap().optional().describe('file.export, without the file’s extension'),
    ...settingsSchema.shape,
  },
  'a function has settings, such as "memory: 256"; nothing at all stands for the defaults',
);

export const manifestSchema = z.strictObject(
  {
    service: nameSchema.optional().describe('The service’s name'),
    defaults: settingsSchema.optional().describe('For all functions that do not say otherwise'),
    functions: z
      .record(nameSchema, functionEntrySchema.nullable(), 'it has the functions by name: "functions:" and, indented below it, "hello:"')
      .describe('The functions, by name'),
  },
  'it has the key "functions", and below it the functions by name',
);

export type FunctionEntry = z.output<typeof functionEntrySchema>;
export type Manifest = z.output<typeof manifestSchema>;
