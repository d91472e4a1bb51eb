/** What is to be deployed from a folder: its manifest's functions, or the one that convention finds in it. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import type { Destination } from '../model/destination.ts';
import { keepWarmTimer } from '../model/keep-warm.ts';
import { type FunctionConfig, functionConfigSchema, tooManyAtLeast } from '../model/function.ts';
import { planGroups } from './groups-entry-schema.ts';
import { entryOfFolder, type FolderEntry, nameOfFolder } from './conventions.ts';
import { formOfFolder } from './form-of-folder.ts';
import { isJar } from './java-bundle.ts';
import { readForeign } from './foreign/read-foreign.ts';
import { manifestName, type ManifestText, readManifest } from './manifest.ts';
import type { DestinationEntry, FunctionEntry, Manifest } from './manifest-schema.ts';
import { planKeepWarm } from './keep-warm-entry-schema.ts';
import { planSources } from './plan-sources.ts';
import { planQueue } from './queue-entry-schema.ts';
import { scheduleFault, timerFault } from '../model/schedule.ts';
import { planProtection, protectPlace } from './plan-protection.ts';
import { planScale, scalePlace } from './plan-scale.ts';
import { corsPlace, planCors } from './cors-entry-schema.ts';
import { planRoute, routePlace } from './plan-routes.ts';
import { planUrl, urlPlace } from './url-entry-schema.ts';
import { planTimers } from './plan-timers.ts';

type Settings = NonNullable<Manifest['defaults']>;

/** One function to be built and published. */
export interface PlannedFunction {
  readonly name: string;
  readonly source: string;
  readonly config: FunctionConfig;
  readonly build: {
    readonly install: boolean;
    /** Whether the install scripts of packages are run. */
    readonly scripts: boolean;
    readonly include: readonly string[];
    readonly exclude: readonly string[];
  };
}

export interface PlanWishes {
  /** The stage that a file of another tool is read for; undefined: as it says itself. */
  readonly stage?: string | undefined;
  /** Is told of each thing in such a file that is not taken over, with its place. */
  readonly notTaken?: (line: string) => void;
}

/** @throws SwiftletError with the place and the remedy */
export async function planFolder(folder: string, { stage, notTaken }: PlanWishes = {}): Promise<PlannedFunction[]> {
  const root = resolve(folder);
  if (!isFolder(root)) throw new SwiftletError('NotFound', `there is no folder ${root}`);
  const path = join(root, manifestName);
  if (existsSync(path)) return planText(root, await readManifest(path), manifestName);
  const foreign = await readForeign(root, { environment: process.env, stage });
  if (foreign === undefined) return [await planConvention(root)];
  for (const line of foreign.notTaken) notTaken?.(line);
  return planText(root, foreign, foreign.file);
}

/** @param file what the text is read from: no function is told of it */
function planText(root: string, text: ManifestText, file: string): Promise<PlannedFunction[]> {
  const entries = Object.entries(text.manifest.functions);
  if (entries.length === 0) throw invalid(text, ['functions'], 'names no functions; add one, such as "hello: {}"');
  return Promise.all(entries.map(([name, entry]) => planEntry(root, text, file, name, entry ?? {})));
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

async function planConvention(root: string): Promise<PlannedFunction> {
  const entry = await entryOfFolder(root, undefined);
  const config = functionConfigSchema.parse({ ...entry, form: await formOfFolder(root, entry.runtime) });
  return { name: nameOfFolder(root), source: root, config, build: { install: true, scripts: false, include: [], exclude: [] } };
}

async function planEntry(root: string, text: ManifestText, file: string, name: string, entry: FunctionEntry): Promise<PlannedFunction> {
  const settings = withDefaults(entry, text.manifest.defaults ?? {});
  const source = sourceOf(root, text, name, entry.source);
  const { minimum = 0, maximum } = settings;
  if (maximum !== undefined && minimum > maximum) {
    throw invalid(text, ['functions', name, 'minimum'], tooManyAtLeast(minimum, maximum));
  }
  const timers = planTimers(entry.timers ?? {}, ({ path, what }) => {
    throw invalid(text, ['functions', name, ...path], what);
  });
  const sources = planSources(entry.sources ?? {});
  const folderEntry: FolderEntry = entry.handler === undefined ? await entryOfFolder(source, settings.runtime) : { handler: entry.handler };
  const runtime = settings.runtime ?? folderEntry.runtime;
  const parsed = functionConfigSchema.safeParse({
    ...configOf(settings, folderEntry),
    form: settings.form ?? (await formOfFolder(source, runtime)),
    timers,
    sources,
    routes: (entry.routes ?? []).map(planRoute),
  });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const inConfig = (issue?.path ?? []).map(String);
    const inManifest = placeInManifest(inConfig);
    throw invalid(text, ['functions', name, ...inManifest], issue?.message ?? 'is not valid');
  }
  checkSchedules(text, name, parsed.data);
  const { install = 'auto', scripts = 'never', include = [], exclude = [] } = settings.build;
  return {
    name,
    source,
    config: parsed.data,
    // A function that shares its folder with others is not told of them, nor of the manifest.
    build: {
      install: install === 'auto',
      scripts: scripts === 'allow',
      include,
      exclude: source === root ? [file, ...exclude] : exclude,
    },
  };
}

/** What a function says wins; environment, secrets, scale, queue, async and build are merged key by key. */
const withDefaults = (entry: FunctionEntry, defaults: Settings) => ({
  ...defaults,
  ...entry,
  environment: { ...defaults.environment, ...entry.environment },
  secrets: { ...defaults.secrets, ...entry.secrets },
  scale: { ...defaults.scale, ...entry.scale },
  queue: { ...defaults.queue, ...entry.queue },
  async: { ...defaults.async, ...entry.async },
  build: { ...defaults.build, ...entry.build },
});

/** Where the manifest has what the configuration has there. */
function placeInManifest(path: readonly string[]): readonly string[] {
  if (path[0] === 'rollout') return ['rollout'];
  if (path[0] === 'url') return urlPlace(path);
  if (path[0] === 'cors') return corsPlace(path);
  if (path[0] === 'routes') return routePlace(path);
  if (path[0] === 'scale') return scalePlace(path);
  return path[0] === 'protect' ? protectPlace(path) : path;
}

/** A clock of its scaling, or of its keeping warm, that never comes, or not in this time zone. */
function checkSchedules(text: ManifestText, name: string, { scale, keepWarm }: FunctionConfig): void {
  const refuse = (path: readonly string[], fault: ReturnType<typeof timerFault>) => {
    const member = fault?.member === 'expression' ? 'cron' : (fault?.member ?? '');
    if (fault !== undefined) throw invalid(text, ['functions', name, ...path, member], fault.what);
  };
  for (const [at, schedule] of scale.schedules.entries()) refuse(['scale', 'schedules', String(at)], scheduleFault(schedule));
  if (keepWarm !== undefined) refuse(['keepWarm'], timerFault(keepWarmTimer(keepWarm)));
}

/** What is to be parsed; whether the settings of a rollout fit together, its schema says. */
type PlannedConfig = Omit<z.input<typeof functionConfigSchema>, 'rollout'> & { readonly rollout: unknown };

const configOf = (settings: ReturnType<typeof withDefaults>, { handler, runtime }: FolderEntry): PlannedConfig => ({
  runtime: settings.runtime ?? runtime,
  handler,
  memoryMiB: settings.memory,
  timeoutMs: settings.timeout,
  initTimeoutMs: settings.initTimeout,
  environment: settings.environment,
  secrets: settings.secrets,
  concurrency: settings.concurrency,
  process: settings.process,
  minimum: settings.minimum,
  maximum: settings.maximum,
  idleMs: settings.idle,
  freezeMs: settings.freeze,
  hibernateMs: settings.hibernate,
  keepWarm: settings.keepWarm === undefined ? undefined : planKeepWarm(settings.keepWarm),
  scale: planScale(settings.scale),
  protect: planProtection(settings.protect ?? {}),
  queueLength: settings.queue.length,
  queueTimeoutMs: settings.queue.timeout,
  async: {
    retries: settings.async.retries,
    backoffMs: settings.async.backoff,
    maximumAgeMs: settings.async.maximumAge,
    inFlight: settings.async.inFlight,
    onFailure: settings.async.onFailure,
    idempotencyWindowMs: settings.async.idempotencyWindow,
  },
  destinations: { success: destinationOf(settings.destinations?.success), failure: destinationOf(settings.destinations?.failure) },
  rollout: rolloutOf(settings.rollout),
  versionHeader: settings.versionHeader,
  lanes: settings.lanes,
  groups: settings.groups === undefined ? undefined : planGroups(settings.groups),
  url: planUrl(settings.url),
  cors: settings.cors === undefined ? undefined : planCors(settings.cors),
  calls: settings.calls,
  events: settings.events,
  payload: settings.payload,
  invokeMode: settings.invokeMode,
  network: settings.network,
  layers: settings.layers,
  awsSdk: settings.awsSdk,
  pool: settings.pool,
  bundle: settings.build.bundle,
  format: settings.build.format,
});

const destinationOf = (entry: DestinationEntry | undefined): Destination | undefined => {
  if (entry === undefined) return undefined;
  if ('function' in entry) return { kind: 'function', function: entry.function };
  if ('queue' in entry) return { kind: 'queue', to: planQueue(entry.queue) };
  return { kind: 'webhook', url: entry.webhook, secretVariable: entry.secret };
};

/** As the configuration's schema takes it, if it does. */
function rolloutOf(rollout: Settings['rollout']): unknown {
  if (rollout === undefined) return undefined;
  const { strategy, steps, sticky, keep } = rollout;
  // What does not belong to the strategy is refused by its schema, not left out here.
  const said = { steps: steps?.map(({ weight, for: forMs }) => ({ weight, forMs })), sticky, keepMs: keep };
  return { strategy, ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) };
}

function sourceOf(root: string, text: ManifestText, name: string, source: string | undefined): string {
  if (source === undefined) return isFolder(join(root, name)) ? join(root, name) : root;
  const path = resolve(root, source);
  if (isFolder(path) || isJar(path)) return path;
  throw invalid(text, ['functions', name, 'source'], `there is no folder ${path}`);
}

function invalid({ placeOf }: ManifestText, path: readonly string[], what: string): SwiftletError {
  const place = placeOf(path);
  return new SwiftletError('ManifestInvalid', `${place}: ${path.join('.')}: ${what}`, { place });
}
