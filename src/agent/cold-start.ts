/** One cold start: a warm sandbox, the code let in, the user's modules evaluated. Budget from a full pool: 1.5 ms beside the user's own init. */
import { type ErrorCode, isErrorCode, SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import type { ColdPhases } from '../model/phases.ts';
import { endReason } from './end-reason.ts';
import type { InitOutcome } from './runtime-connection.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

export interface ColdStartMeans {
  takeSandbox(version: Version): Promise<Sandbox>;
  /** The folder of the version's files on this host. */
  placeCode(digest: string): Promise<string>;
  label(sandbox: Sandbox, version: Version, instanceId: string): void;
  now(): number;
}

const mebibyte = 1024 * 1024;

/** @throws SwiftletError InitError, InitTimeout, OutOfMemory, FunctionCrashed, HandlerNotFound, HostFull; the sandbox is ended then */
export async function coldStart(
  means: ColdStartMeans,
  version: Version,
  instanceId: string,
  startedAt: string,
): Promise<{ sandbox: Sandbox; phases: ColdPhases }> {
  const asked = means.now();
  const placing = means.placeCode(version.digest);
  // Its failure is met below, after the sandbox is there to be given back.
  placing.catch(() => undefined);
  const sandbox = await means.takeSandbox(version);
  const taken = means.now();
  try {
    means.label(sandbox, version, instanceId);
    sandbox.limitMemory(version.config.memoryMiB * mebibyte);
    // Written beside the work, so that it costs no time, and before any request, so that no agent forgets the instance.
    const dedicated = sandbox.dedicate({ id: instanceId, version, startedAt });
    const codeDir = await sandbox.attach(await placing);
    const attached = means.now();
    const [outcome] = await Promise.all([initialise(sandbox, version, instanceId, codeDir), dedicated]);
    const ready = means.now();
    if (outcome.kind === 'failed') throw initFailure(version, outcome);
    const { environmentMs, initMs } = outcome.report;
    const runtime = Math.max(0, ready - attached - environmentMs - initMs);
    return {
      sandbox,
      phases: { sandbox: taken - asked, code: attached - taken, environment: environmentMs, network: 0, runtime, init: initMs },
    };
  } catch (error) {
    sandbox.kill();
    throw error;
  }
}

async function initialise(sandbox: Sandbox, version: Version, instanceId: string, codeDir: string): Promise<InitOutcome> {
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
    const request = {
      function: name,
      version: version.number,
      instanceId,
      codeDir,
      handler: config.handler,
      environment: config.environment,
      memoryMiB: config.memoryMiB,
      timeoutMs: config.timeoutMs,
      concurrency: config.concurrency,
    };
    return await Promise.race([sandbox.connection.init(request), timedOut]);
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
  const code: ErrorCode = isErrorCode(failure.code) ? failure.code : 'InitError';
  return new SwiftletError(code, `function "${name}" failed to initialise: ${failure.type}: ${failure.message}`);
}
