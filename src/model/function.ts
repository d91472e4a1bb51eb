import { z } from 'zod';
import { artifactFormats } from './artifact-format.ts';
import { corsSchema } from './cors.ts';
import { versionPoolSchema } from './custom-pool.ts';
import { destinationsSchema } from './destination.ts';
import { routesSchema } from './http-route.ts';
import { keepWarmFault, keepWarmSchema } from './keep-warm.ts';
import { groupsSchema } from './groups.ts';
import { lanesSchema } from './lanes.ts';
import { layersSchema } from './layer.ts';
import * as limits from './limits.ts';
import { nameSchema } from './names.ts';
import { networkPolicySchema } from './network-policy.ts';
import { protectionSchema } from './protection.ts';
import { defaultPlan, rolloutPlanSchema } from './rollout.ts';
import { defaultRuntime, languageOf, type RuntimeName, runtimeSchema } from './runtimes.ts';
import { secretReferencesSchema } from './secret.ts';
import { urlRules } from './tenant.ts';
import { hasValue } from './event-secrets.ts';
import { secretVariables, sourcesSchema } from './source.ts';
import { scaleSchema } from './scale.ts';
import { timerSchema } from './timer.ts';
import { urlAuthSchema } from './url-auth.ts';

/** `file.export`, `dir/file.export`, or only `file` (then the export is `handler` or `default`); the file has no extension. Of programs it is a text. */
export const handlerPattern = /^(?!\/)(?!.*\.\.)[\w@./-]+?(?:\.[A-Za-z_$][\w$]*)?$/;

/** `package.Class` or `package.Class::method`. */
const javaHandlerPattern = /^[\p{L}_$][\p{L}\p{N}_$]*(?:\.[\p{L}_$][\p{L}\p{N}_$]*)*(?:::[\p{L}_$][\p{L}\p{N}_$]*)?$/u;

/** What is wrong with a handler's text, if anything. */
function handlerFault(runtime: RuntimeName, handler: string): string | undefined {
  if (runtime === 'java')
    return javaHandlerPattern.test(handler) && handler.length <= maxHandlerCharacters
      ? undefined
      : 'a handler in Java is "package.Class", or "package.Class::method"';
  if (languageOf(runtime) === 'program')
    return controlCharacter.test(handler) ? 'what is started is one line, without control characters' : undefined;
  return handlerPattern.test(handler) && handler.length <= maxHandlerCharacters
    ? undefined
    : 'a handler is "file.export" without the file’s extension, relative to the bundle';
}
const maxHandlerCharacters = 256;
const controlCharacter = /\p{Cc}/u;

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
/** How events look that a function gets: each as it is, or all as CloudEvents. */
export const eventForms = ['plain', 'cloudevents'] as const;
/** Of AWS's payloads: of REST APIs, and of HTTP APIs and function URLs. */
export const payloadFormats = ['1.0', '2.0'] as const;
export type EventForm = (typeof eventForms)[number];
/** Who may ask for a version of a function by the header x-swiftlet-version: whoever has the platform's token, or anyone. */
export const versionHeaderRules = ['token', 'anyone'] as const;

/** Of a variable whose value the platform itself needs. */
const hasNoValue = 'has no value: put it into "secrets", as a variable and not as a file, or into "environment"';

/** Whose platform a handler in Node.js was written for, and whether it takes events or requests; absent from a configuration: the runtime sees it. */
export const handlerForms = ['lambda', 'alibaba-fc', 'alibaba-fc-http', 'google-cloud-http', 'google-cloud-event', 'tencent-scf'] as const;
export type HandlerForm = (typeof handlerForms)[number];

/** How answers over HTTP go out, beside as they come. */
export const invokeModes = ['buffered'] as const;
/** auto: where its code asks for it, as on AWS Lambda. */
export const awsSdkRules = ['auto'] as const;
/** auto: where it has dependencies or types, and can be. */
export const bundleRules = ['auto', 'never'] as const;

/** What a version is configured with, complete: every default is filled in. Immutable with its version. */
export const functionConfigSchema = z
  .strictObject({
    runtime: runtimeSchema.default(defaultRuntime),
    handler: z.string().min(1).max(1024).default('index'),
    form: z.enum(handlerForms).optional(),
    memoryMiB: between(limits.memoryMiB),
    timeoutMs: between(limits.timeoutMs),
    initTimeoutMs: between(limits.initTimeoutMs),
    environment: environmentSchema.default({}),
    /** By the variables that they are found by. */
    secrets: secretReferencesSchema.default({}),
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
    /** After how long without requests what it has in memory goes to swap; never when that is not below `idleMs`. Absent: when that pays on its host. */
    hibernateMs: z.int().min(limits.hibernateMs.min).max(limits.hibernateMs.max).optional(),
    /** Requests that may wait for an instance, and for how long. */
    queueLength: between(limits.queueLength),
    queueTimeoutMs: between(limits.queueTimeoutMs),
    /** How the number of its instances follows its load. */
    scale: scaleSchema.prefault({}),
    protect: protectionSchema.prefault({}),
    async: asyncConfigSchema.prefault({}),
    timers: timersSchema.default({}),
    /** When it is called so that an instance stays warm; absent: never. */
    keepWarm: keepWarmSchema.optional(),
    /** Where messages come from, by the sources' names. */
    sources: sourcesSchema.default({}),
    destinations: destinationsSchema.default({}),
    /** How this version takes over when it is deployed. */
    rollout: rolloutPlanSchema.default(defaultPlan),
    versionHeader: z.enum(versionHeaderRules).default('token'),
    /** Absent: it has none. */
    lanes: lanesSchema.optional(),
    /** The parts of the fleet that it is published to, and how requests choose among them; absent: all are alike. */
    groups: groupsSchema.optional(),
    /** Who may call it at its address; absent: as its tenant says. */
    url: z.union([z.enum(urlRules), urlAuthSchema]).optional(),
    /** Which pages may call it in a browser; absent: it says so itself, or none may. */
    cors: corsSchema.optional(),
    /** Requests that it takes beside those for its own address. */
    routes: routesSchema.default([]),
    /** What it takes over HTTP: any request, or CloudEvents alone. Timers and destinations send it CloudEvents then, too. */
    events: z.enum(eventForms).default('plain'),
    /** How an HTTP request looks as the event of a handler that takes events; absent: 2.0. */
    payload: z.enum(payloadFormats).optional(),
    /** Functions that it may call by `context.invoke`. */
    calls: z
      .array(nameSchema)
      .max(limits.maxGrants, `a function may call at most ${String(limits.maxGrants)} others`)
      .default([]),
    /** buffered: what it streams over HTTP is collected, and sent whole with its length; absent: it is sent as it comes. */
    invokeMode: z.enum(invokeModes).optional(),
    /** Where its own connections may lead to; absent: as its tenant says when it is deployed. */
    network: networkPolicySchema.optional(),
    /** What it builds on, as `name:version`, in the order of mounting. */
    layers: layersSchema.default([]),
    /** Whether it has the SDK of AWS as a built-in layer where its code imports it and has not brought it; absent: no. */
    awsSdk: z.enum(awsSdkRules).optional(),
    /** The custom pool that its sandboxes come from; absent: the host's own. */
    pool: nameSchema.optional(),
    /** What its code is as it travels and lies on hosts; absent: by its size and number of files. */
    format: z.enum(artifactFormats).optional(),
    /** Whether its code is made one file when it is published; absent: auto. */
    bundle: z.enum(bundleRules).optional(),
  })
  .superRefine((config, context) => {
    const { runtime, handler, form, minimum, maximum, process, concurrency, environment, secrets, scale, sources, keepWarm, idleMs } =
      config;
    const fault = handlerFault(runtime, handler);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault, path: ['handler'] });
    if (form !== undefined && languageOf(runtime) !== 'nodejs') {
      const message = `a form is said of handlers in Node.js, and the runtime is ${runtime}; leave it out`;
      context.addIssue({ code: 'custom', message, path: ['form'] });
    }
    for (const name of Object.keys(secrets).filter((variable) => Object.hasOwn(environment, variable))) {
      const message = `the variable ${name} is in "environment" already; it can be one of both only`;
      context.addIssue({ code: 'custom', message, path: ['secrets', name] });
    }
    if (minimum > maximum) context.addIssue({ code: 'custom', message: tooManyAtLeast(minimum, maximum), path: ['minimum'] });
    if (scale.thresholds.lag !== undefined && Object.keys(sources).length === 0) {
      const message = 'messages can only wait where there are sources; name one under "sources", or scale by another signal';
      context.addIssue({ code: 'custom', message, path: ['scale', 'thresholds', 'lag'] });
    }
    const warmFault = keepWarm === undefined ? undefined : keepWarmFault(keepWarm, { process, idleMs });
    if (warmFault !== undefined) context.addIssue({ code: 'custom', message: warmFault, path: ['keepWarm'] });
    if (process === 'one-shot' && concurrency > 1) {
      const message = `a one-shot instance takes a single request, not ${concurrency} at once`;
      context.addIssue({ code: 'custom', message, path: ['concurrency'] });
    }
  })
  .refine(
    ({ destinations, environment, secrets }) =>
      [destinations.success, destinations.failure].every(
        (one) => one?.kind !== 'webhook' || hasValue({ environment, secrets }, one.secretVariable),
      ),
    { error: `the variable that is to have a webhook’s secret ${hasNoValue}`, path: ['destinations'] },
  )
  .superRefine(({ url, environment, secrets }, context) => {
    if (typeof url !== 'object' || url.kind !== 'hmac') return;
    const missing = url.secretVariables.find((variable) => !hasValue({ environment, secrets }, variable));
    if (missing === undefined) return;
    const message = `the variable ${missing}, which is to have the secret of its callers, ${hasNoValue}`;
    context.addIssue({ code: 'custom', message, path: ['url'] });
  })
  .superRefine(({ sources, destinations: { success, failure }, environment, secrets }, context) => {
    const queues = Object.entries({ success, failure }).flatMap(([when, one]) => (one?.kind === 'queue' ? [[when, one.to] as const] : []));
    const places = [
      ...Object.entries(sources).map(([name, { origin }]) => ({ path: ['sources', name], settings: origin })),
      ...queues.map(([when, settings]) => ({ path: ['destinations', when], settings })),
    ];
    for (const { path, settings } of places) {
      const missing = secretVariables(settings).find((variable) => !hasValue({ environment, secrets }, variable));
      if (missing === undefined) continue;
      const message = `the variable ${missing}, which is to have a secret of it, ${hasNoValue}`;
      context.addIssue({ code: 'custom', message, path });
    }
  });

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
  /** The artifacts of its layers, in their order. Absent: it has none. */
  layerDigests: z.array(digestSchema).optional(),
  /** What its custom pool is. Absent: it has none. */
  pool: versionPoolSchema.optional(),
  createdAt: z.iso.datetime(),
});
export type Version = z.output<typeof versionSchema>;

/** Names one version over the whole platform, for logs, leases and maps: `tenant/function@number`. */
export type VersionId = `${string}/${string}@${number}`;

export const versionIdOf = (version: Pick<Version, 'tenant' | 'function' | 'number'>): VersionId =>
  `${version.tenant}/${version.function}@${version.number}`;
