/** One cold start: a warm sandbox, the code let in, the user's modules evaluated. Budget from a full pool: 1.5 ms beside the user's own init. */
import { type ErrorCode, SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import type { StartTimes } from '../model/phases.ts';
import { languageOf } from '../model/runtimes.ts';
import type { InitRequest, InvocationFailure } from '../wire/instance-protocol.ts';
import { endReason } from './end-reason.ts';
import type { InitOutcome } from './runtime-connection.ts';
import { hasLayersOf, type Sandbox } from './sandbox/sandbox.ts';
import type { StartSecrets } from './secret-box.ts';
import { failedTimes, startTimes } from './start-times.ts';

const tellsWhyMs = 1_000;
/** A process that has closed its connection ends by itself, as a rule. */
const lastMomentMs = 500;

export interface ColdStartMeans {
  /** @param id the instance's that it will be */
  takeSandbox(version: Version, id: string): Promise<Sandbox>;
  /** The folder of the version's files on this host. */
  placeCode(version: Version): Promise<string>;
  /** The folder of its layers' files on this host; undefined: it has none. */
  placeLayers(version: Version): Promise<string | undefined>;
  /** Where an instance of it has them. */
  layersOf(version: Version): string | undefined;
  /** Where the version's bundle lies below its files; undefined: it has none. */
  bundleOf(version: Version): string | undefined;
  /** How long it took to place them, when they are there already; else 0. */
  placedInMs(version: Version): number;
  /** What the version may have of its tenant's secrets: at once, unless one is not here yet. */
  secretsFor(version: Version): StartSecrets | Promise<StartSecrets>;
  /** Whose the sandbox's output is from now on. */
  label(sandbox: Sandbox, version: Version, instanceId: string): void;
  /** Opens its way out, as far as the version's policy goes. Synchronous. */
  connect(sandbox: Sandbox, version: Version, instanceId: string): void;
  now(): number;
}

/** An instance that is there. */
export interface Started {
  readonly sandbox: Sandbox;
  readonly times: StartTimes;
  /** Which values of its secrets it has. */
  readonly secretStamp: string;
  /** How long it may take to end once it is told so; 0: it is ended without a word. */
  readonly farewellMs: number;
}

/** What is decided of an instance before it exists. */
export interface StartOrder {
  readonly id: string;
  readonly startedAt: string;
  /** Called when it has its sandbox, before any code is in it. */
  readonly onSandbox: (sandbox: Sandbox) => void;
  /** Called with how far it came when it fails in its sandbox, before it throws. */
  readonly onFailed: (times: StartTimes) => void;
}

/** @throws SwiftletError InitError, InitTimeout, OutOfMemory, FunctionCrashed, HandlerNotFound, HostFull, Unavailable; the sandbox is ended then */
export async function coldStart(
  means: ColdStartMeans,
  version: Version,
  { id, startedAt, onSandbox, onFailed }: StartOrder,
): Promise<Started> {
  const asked = means.now();
  const codeMs = means.placedInMs(version);
  const placing = Promise.all([means.placeCode(version), means.placeLayers(version)]);
  // Its failure is met below, after the sandbox is there to be given back.
  placing.catch(() => undefined);
  const found = means.secretsFor(version);
  const { secrets, stamp: secretStamp } = found instanceof Promise ? await found : found;
  const sandbox = await means.takeSandbox(version, id);
  const taken = means.now();
  const prepared = { boot: sandbox.boot, codeMs };
  let networkMs = 0;
  let attached: number | undefined;
  try {
    // The runtime wakes up, and prepares, while its code is put in place.
    sandbox.connection.dedicate(initRequest(version, id, { secrets, bundle: means.bundleOf(version), layers: means.layersOf(version) }));
    onSandbox(sandbox);
    sandbox.limitMemory(version.config.memoryMiB);
    // No code of a version runs before it is written down whose the sandbox is: no agent forgets it, or takes it for a warm one.
    const dedicated = sandbox.dedicate({ id, version, startedAt, secretStamp });
    // Before any of its code can run; meanwhile it is being written down.
    const unconnected = means.now();
    means.connect(sandbox, version, id);
    networkMs = means.now() - unconnected;
    const attaching = placing.then(([folder, layers]) => sandbox.attach(folder, hasLayersOf(sandbox, version) ? undefined : layers));
    const [codeDir] = await Promise.all([attaching, dedicated]);
    attached = means.now();
    const loading = load(sandbox, version, codeDir);
    means.label(sandbox, version, id);
    const outcome = await loading;
    const ready = means.now();
    if (outcome.kind === 'failed') throw initFailure(version, outcome);
    const times = startTimes({ asked, taken, attached, ready, networkMs }, prepared, outcome.report);
    return { sandbox, times, secretStamp, farewellMs: outcome.report.farewellMs ?? 0 };
  } catch (error) {
    sandbox.kill();
    onFailed(failedTimes({ asked, taken, attached, networkMs, failed: means.now() }, prepared));
    throw error;
  }
}

interface StartExtras {
  readonly secrets: StartSecrets['secrets'];
  readonly bundle: string | undefined;
  readonly layers: string | undefined;
}

function initRequest(
  { config, function: name, number }: Version,
  instanceId: string,
  { secrets, bundle, layers }: StartExtras,
): InitRequest {
  return {
    runtime: config.runtime,
    function: name,
    version: number,
    instanceId,
    handler: config.handler,
    ...(config.form === undefined ? {} : { form: config.form }),
    ...(config.payload === '1.0' ? { payload: config.payload } : {}),
    environment: config.environment,
    ...(secrets.length === 0 ? {} : { secrets }),
    ...(bundle === undefined ? {} : { bundle }),
    ...(layers === undefined ? {} : { layers }),
    memoryMiB: config.memoryMiB,
    timeoutMs: config.timeoutMs,
    initTimeoutMs: config.initTimeoutMs,
    concurrency: config.concurrency,
  };
}

async function load(sandbox: Sandbox, version: Version, codeDir: string): Promise<InitOutcome> {
  const { config, function: name } = version;
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  const limit = setTimeout(() => reject(initTimeout(name, config, 'do less outside the handler or raise "initTimeout"')), limitOf(config));
  try {
    return await Promise.race([sandbox.connection.load(codeDir), timedOut]);
  } catch (error) {
    if (error instanceof SwiftletError && error.code === 'FunctionCrashed') throw await initCrash(sandbox, version);
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

/** What stands beside a program keeps the limit itself, and then tells what the program printed. */
const limitOf = ({ runtime, initTimeoutMs }: Version['config']): number =>
  languageOf(runtime) === 'program' ? initTimeoutMs + tellsWhyMs : initTimeoutMs;

const initTimeout = (name: string, { initTimeoutMs }: Version['config'], why: string): SwiftletError =>
  new SwiftletError('InitTimeout', `function "${name}" did not finish its init within ${initTimeoutMs} ms; ${why}`);

async function initCrash(sandbox: Sandbox, { function: name, config }: Version): Promise<SwiftletError> {
  // Killed at once, it would be said to have been.
  const lastMoment = setTimeout(() => sandbox.kill(), lastMomentMs);
  const facts = await sandbox.ended;
  clearTimeout(lastMoment);
  const { code, detail } = endReason(name, config.memoryMiB, facts);
  if (code === 'OutOfMemory') return new SwiftletError(code, detail);
  const failure: InvocationFailure = { code: 'InitError', type: 'Runtime.ExitError', message: detail };
  return new SwiftletError('InitError', `${detail} (while it was initialised)`, { cause: failure });
}

function initFailure({ function: name, config }: Version, { failure }: Extract<InitOutcome, { kind: 'failed' }>): SwiftletError {
  if (failure.code === 'InitTimeout') return initTimeout(name, config, failure.message);
  // What it says may be forged: of the platform's own errors it has none to give.
  const code: ErrorCode = failure.code === 'HandlerNotFound' ? 'HandlerNotFound' : 'InitError';
  return new SwiftletError(code, `function "${name}" failed to initialise: ${failure.type}: ${failure.message}`, { cause: failure });
}
