/** `swiftlet.yaml`, as people write it. The published JSON Schema is made from this. */
import { z } from 'zod';
import { artifactFormats } from '../model/artifact-format.ts';
import { secretVariableSchema, webhookUrlSchema } from '../model/destination.ts';
import {
  bundleRules,
  awsSdkRules,
  eventForms,
  invokeModes,
  payloadFormats,
  failurePolicies,
  functionConfigSchema,
  handlerForms,
  processKinds,
  versionHeaderRules,
} from '../model/function.ts';
import { layersSchema } from '../model/layer.ts';
import * as limits from '../model/limits.ts';
import { missingLaneRules } from '../model/lanes.ts';
import { groupsEntrySchema } from './groups-entry-schema.ts';
import { nameSchema } from '../model/names.ts';
import { keepWarmEntrySchema } from './keep-warm-entry-schema.ts';
import { networkPolicySchema } from '../model/network-policy.ts';
import { rolloutStrategies } from '../model/rollout.ts';
import { defaultRuntime, runtimeNames } from '../model/runtimes.ts';
import { secretForms, secretReferencesSchema } from '../model/secret.ts';
import { cronSchema, missedPolicies, timeSchema, timeZoneSchema } from '../model/timer.ts';
import { corsEntrySchema } from './cors-entry-schema.ts';
import { countSchema, durationSchema, memorySchema } from './quantities.ts';
import { protectSchema } from './protect-entry-schema.ts';
import { queueEntrySchema } from './queue-entry-schema.ts';
import { routeEntrySchema } from './route-entry-schema.ts';
import { scaleSchema } from './scale-entry-schema.ts';
import { urlEntrySchema } from './url-entry-schema.ts';
import { sourceEntrySchema } from './source-entry-schema.ts';

const { handler, environment } = functionConfigSchema.shape;

const secretEntrySchema = z.union(
  [
    nameSchema.transform((secret) => ({ secret })),
    z.strictObject({ secret: nameSchema.describe('Its name'), as: z.enum(secretForms).optional().describe('Default: environment') }),
  ],
  'it is the name of a secret, or { secret: name, as: file }',
);

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
    idempotencyWindow: durationSchema(limits.idempotencyWindowMs)
      .optional()
      .describe('How long a request with the same Idempotency-Key is the same event; default 24 h'),
  },
  'it has the keys retries, backoff, maximumAge, inFlight, onFailure and idempotencyWindow',
);

export const timerEntrySchema = z
  .strictObject(
    {
      cron: cronSchema.optional().describe('Minute, hour, day, month, weekday; or six fields with the seconds in front'),
      rate: durationSchema(limits.timerRateMs).optional().describe('Every so often: a number of seconds, or one with s, m or h'),
      at: timeSchema.optional().describe('Once, at this time: 2026-03-01T09:00:00, in the time zone unless it says its offset'),
      timeZone: timeZoneSchema.optional().describe('Like Europe/Berlin; default UTC'),
      start: timeSchema.optional().describe('No run comes before it'),
      end: timeSchema.optional().describe('No run comes after it'),
      jitter: durationSchema(limits.timerJitterMs).optional().describe('Each run is put off by a part of this; default 0'),
      missed: z
        .enum(missedPolicies, 'it is skip, once or all')
        .optional()
        .describe('Runs missed while the platform was down: skipped, made up for by one, or by all; default skip, of at: once'),
    },
    'it has cron, rate or at, and may have timeZone, start, end, jitter and missed',
  )
  .refine(({ cron, rate, at }) => [cron, rate, at].filter((one) => one !== undefined).length === 1, 'it has one of cron, rate and at')
  .refine(({ at, start, end, missed }) => at === undefined || ((start ?? end) === undefined && missed !== 'all'), {
    error: 'a timer with "at" runs once: it has no start and no end, and nothing but skip or once for missed',
  });
export type TimerEntry = z.output<typeof timerEntrySchema>;

const destinationEntrySchema = z.union(
  [
    z.strictObject({ function: nameSchema.describe('It is invoked with the record') }),
    z.strictObject({
      webhook: webhookUrlSchema.describe('The record is sent there, signed'),
      secret: secretVariableSchema.describe('The variable in "secrets" or "environment" that has the secret which signs it'),
    }),
    z.strictObject({ queue: queueEntrySchema.describe('The record is sent to it') }),
  ],
  'it is { function: name }, { webhook: https://…, secret: VARIABLE }, or { queue: { nats: … } }',
);

export const destinationsEntrySchema = z.strictObject(
  {
    success: destinationEntrySchema.optional().describe('For events that succeeded'),
    failure: destinationEntrySchema.optional().describe('For events that were dead-lettered or discarded'),
  },
  'it has the keys success and failure',
);
export type DestinationEntry = z.output<typeof destinationEntrySchema>;

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
    install: z
      .enum(['auto', 'never'])
      .optional()
      .describe('auto: production dependencies when there is a package-lock.json, or for Python a requirements.txt or pyproject.toml'),
    scripts: z
      .enum(['never', 'allow'], 'it is never or allow')
      .optional()
      .describe('Whether the install scripts of packages are run, in a sandbox of the platform and nowhere else; default never'),
    bundle: z
      .enum(bundleRules, 'it is auto or never')
      .optional()
      .describe('auto: code with dependencies, or in TypeScript, is made one file when it is published, where it can be; default auto'),
    format: z
      .enum(artifactFormats, `it is ${artifactFormats.join(', ')}`)
      .optional()
      .describe(
        'An archive that hosts unpack, in zstd or lz4, or an image that they make of it and read on demand; default: by size and number of files',
      ),
    include: patternsSchema.describe('Patterns that win over exclude'),
    exclude: patternsSchema.describe('Patterns left out of the bundle, as in .gitignore'),
  },
  'it has the keys install, scripts, bundle, format, include and exclude',
);

/** What `defaults` and each function can say. */
export const settingsSchema = z.strictObject({
  runtime: z
    .enum(runtimeNames)
    .optional()
    .describe(
      `The Node.js release line, python3, java, provided (a program that asks for events) or http (one that listens on $PORT); default: what lies in the folder, else ${defaultRuntime}`,
    ),
  form: z
    .enum(handlerForms, `it is ${handlerForms.join(', ')}`)
    .optional()
    .describe('The platform that handlers in Node.js were written for; default: what they look like'),
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
  secrets: z
    .record(z.string(), secretEntrySchema, 'it has a variable on each line: NAME: name-of-the-secret')
    .pipe(secretReferencesSchema)
    .optional()
    .describe('Secrets by the variable that has the value, or the path of a file with it'),
  concurrency: countSchema(limits.concurrency).optional().describe('Requests that one instance takes at once; default 1'),
  process: z
    .enum(processKinds, 'it is resident or one-shot')
    .optional()
    .describe('resident: an instance takes one request after the other (default); one-shot: each request gets a fresh instance'),
  minimum: countSchema(limits.instances)
    .optional()
    .describe('Provisioned instances: ready before there is traffic, never frozen nor ended for being idle; default 0'),
  maximum: countSchema({ ...limits.instances, min: 1 })
    .optional()
    .describe('Instances never exceeded; default 100'),
  idle: durationSchema(limits.idleMs).optional().describe('How long an instance without requests is kept; default 60 s'),
  freeze: durationSchema(limits.freezeMs)
    .optional()
    .describe('After how long without requests an instance is frozen: it takes no processor time; default 10 s, never when not below idle'),
  hibernate: durationSchema(limits.hibernateMs)
    .optional()
    .describe(
      'After how long without requests what an instance has in memory goes to swap; default: when that pays on its host, never when not below idle',
    ),
  keepWarm: keepWarmEntrySchema.optional().describe('When it is called so that an instance stays warm'),
  scale: scaleSchema.optional().describe('How the number of instances follows the load'),
  protect: protectSchema.optional().describe('What the function is protected by'),
  queue: queueSchema.optional().describe('Requests that wait while all instances are busy'),
  async: asyncSchema.optional().describe('Delivery of events that nobody waits for'),
  destinations: destinationsEntrySchema.optional().describe('What gets to know how each event ended'),
  rollout: rolloutSchema.optional().describe('How a new version takes over'),
  lanes: z
    .strictObject(
      {
        by: stickySettings.describe('What says in which lane a request is: it goes to the alias of this name'),
        missing: z
          .enum(missingLaneRules, `it is ${missingLaneRules.join(' or ')}`)
          .optional()
          .describe('Where the function has no such alias: to live (main, default), or refused'),
      },
      'it has by, and may have missing',
    )
    .optional()
    .describe('Requests that say that they are in a lane go to its alias'),
  groups: groupsEntrySchema.optional().describe('Parts of the fleet that it is published to, and how requests choose among them'),
  versionHeader: z
    .enum(versionHeaderRules, `it is ${versionHeaderRules.join(' or ')}`)
    .optional()
    .describe('Who may ask for a version by x-swiftlet-version: whoever has the platform’s token (default), or anyone'),
  url: urlEntrySchema.optional().describe('Who may call the function at its address; absent: as its tenant says'),
  cors: corsEntrySchema.optional().describe('Which pages may call it in a browser'),
  payload: z
    .enum(payloadFormats, 'it is "1.0" or "2.0", in quotation marks')
    .optional()
    .describe('The format of AWS in which handlers get HTTP requests: 1.0 as of a REST API, 2.0 as of a function URL (default)'),
  events: z
    .enum(eventForms, 'it is plain or cloudevents')
    .optional()
    .describe('cloudevents: it takes CloudEvents over HTTP, and timers and destinations send it such; default plain'),
  invokeMode: z
    .enum(invokeModes, 'it is buffered')
    .optional()
    .describe('buffered: what it streams over HTTP is sent whole with its length, up to 6 MiB; default: it is sent as it comes'),
  calls: z
    .array(nameSchema, 'it is a list of functions, such as [resize]')
    .max(limits.maxGrants)
    .optional()
    .describe('Functions that it may call by context.invoke; default none'),
  network: networkPolicySchema
    .optional()
    .describe(
      'Where its own connections may lead to: internet (default, unless the tenant has another one), none, or lists of addresses, ranges and host names, each with ports or without, and private networks by name',
    ),
  layers: layersSchema
    .optional()
    .describe(
      'Layers that it builds on, as name:version, mounted in this order at /opt, or built-in ones: boto3, aws-sdk-v3; default none',
    ),
  awsSdk: z
    .enum(awsSdkRules, 'it is auto')
    .optional()
    .describe(
      'auto: boto3, or the AWS SDK for JavaScript, is there as a built-in layer where the code imports it and does not bring it, as on AWS Lambda; default: it is not',
    ),
  pool: nameSchema.optional().describe('The custom pool that its sandboxes come from; default: the host’s own'),
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
    handler: handler
      .unwrap()
      .optional()
      .describe('file.export, without the file’s extension; for Python module.function; for http the command that starts the server'),
    timers: z
      .record(nameSchema, timerEntrySchema, 'it has timers by name: "timers:" and, indented below it, "nightly:"')
      .optional()
      .describe('When the clock invokes it, by the timers’ names'),
    sources: z
      .record(nameSchema, sourceEntrySchema, 'it has sources by name: "sources:" and, indented below it, "incoming:"')
      .optional()
      .describe('Where messages for it come from, by the sources’ names'),
    routes: z
      .array(routeEntrySchema, 'it is a list of routes, such as "- GET /users/{id}"')
      .optional()
      .describe('Requests that it takes beside those for its own address'),
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
