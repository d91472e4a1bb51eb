/** One cold start: a warm sandbox, the code let in, the user's modules evaluated. Budget from a full pool: 1.5 ms beside the user's own init. */
import { type ErrorCode, SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import type { StartTimes } from '../model/phases.ts';
import type { InitRequest } from '../wire/instance-protocol.ts';
import { endReason } from './end-reason.ts';
import type { StartOrder } from './instances.ts';
import type { InitOutcome } from './runtime-connection.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import { startTimes } from './start-times.ts';

export interface ColdStartMeans {
  takeSandbox(version: Version): Promise<Sandbox>;
  /** The folder of the version's files on this host. */
  placeCode(digest: string): Promise<string>;
  /** How long it took to place them, when they are there already; else 0. */
  placedInMs(digest: string): number;
  /** Whose the sandbox's output is from now on. */
  label(sandbox: Sandbox, version: Version, instanceId: string): void;
  now(): number;
}

/** @throws SwiftletError InitError, InitTimeout, OutOfMemory, FunctionCrashed, HandlerNotFound, HostFull; the sandbox is ended then */
export async function coldStart(
  means: ColdStartMeans,
  version: Version,
  { id, startedAt, onSandbox }: StartOrder,
): Promise<{ sandbox: Sandbox; times: StartTimes }> {
  const asked = means.now();
  const codeMs = means.placedInMs(version.digest);
  const placing = means.placeCode(version.digest);
  // Its failure is met below, after the sandbox is there to be given back.
  placing.catch(() => undefined);
  const sandbox = await means.takeSandbox(version);
  const taken = means.now();
  try {
    // The runtime wakes up, and prepares, while its code is put in place.
    sandbox.connection.dedicate(initRequest(version, id));
    onSandbox(sandbox);
    sandbox.limitMemory(version.config.memoryMiB);
    // No code of a version runs before it is written down whose the sandbox is: no agent forgets it, or takes it for a warm one.
    const dedicated = sandbox.dedicate({ id, version, startedAt });
    const [codeDir] = await Promise.all([placing.then((folder) => sandbox.attach(folder)), dedicated]);
    const attached = means.now();
    const loading = load(sandbox, version, codeDir);
    means.label(sandbox, version, id);
    const outcome = await loading;
    const ready = means.now();
    if (outcome.kind === 'failed') throw initFailure(version, outcome);
    return { sandbox, times: startTimes({ asked, taken, attached, ready }, { boot: sandbox.boot, codeMs }, outcome.report) };
  } catch (error) {
    sandbox.kill();
    throw error;
  }
}

function initRequest({ config, function: name, number }: Version, instanceId: string): InitRequest {
  return {
    function: name,
    version: number,
    instanceId,
    handler: config.handler,
    environment: config.environment,
    memoryMiB: config.memoryMiB,
    timeoutMs: config.timeoutMs,
    concurrency: config.concurrency,
  };
}

async function load(sandbox: Sandbox, version: Version, codeDir: string): Promise<InitOutcome> {
  const { config, function: name } = version;
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  const limit = setTimeout(
    () =>
      reject(
        new SwiftletError(
          'InitTimeout',
          `function "${name}" did not finish its init within ${config.initTimeoutMs} ms; do less outside the handler or raise "initTimeout"`,
        ),
      ),
    config.initTimeoutMs,
  );
  try {
    return await Promise.race([sandbox.connection.load(codeDir), timedOut]);
  } catch (error) {
    if (error instanceof SwiftletError && error.code === 'FunctionCrashed') throw await initCrash(sandbox, version);
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

async function initCrash(sandbox: Sandbox, { function: name, config }: Version): Promise<SwiftletError> {
  sandbox.kill();
  const { code, detail } = endReason(name, config.memoryMiB, await sandbox.ended);
  return code === 'OutOfMemory' ? new SwiftletError(code, detail) : new SwiftletError('InitError', `${detail} (while it was initialised)`);
}

function initFailure({ function: name }: Version, { failure }: Extract<InitOutcome, { kind: 'failed' }>): SwiftletError {
  // What it says may be forged: of the platform's own errors it has none to give.
  const code: ErrorCode = failure.code === 'HandlerNotFound' ? 'HandlerNotFound' : 'InitError';
  return new SwiftletError(code, `function "${name}" failed to initialise: ${failure.type}: ${failure.message}`);
}
