import { join } from 'node:path';
import { SwiftletError } from '../../model/errors.ts';
import { cacheFolder } from '../../role/home.ts';
import { connectApi } from '../api-client.ts';
import { colours, errorColours } from '../colours.ts';
import { type Deployed, deployFolder } from '../deploy.ts';
import { messageOf } from '../failure.ts';
import { openOutput } from '../output.ts';
import { planOf, type RolloutFlags } from '../rollout-flags.ts';
import { table } from '../table.ts';

export interface DeployFlags extends Pick<RolloutFlags, 'steps' | 'keep'> {
  /** A strategy. */
  readonly rollout?: string;
  readonly json?: boolean;
}

export async function deploy(folder: string, { rollout, json = false, ...flags }: DeployFlags): Promise<void> {
  const plan = planOf({ ...flags, ...(rollout === undefined ? {} : { strategy: rollout }) });
  const output = openOutput(json);
  const startedAt = performance.now();
  const signal = untilInterrupted();
  const means = { cache: join(cacheFolder(process.env), 'dependencies'), signal };
  const work = deployFolder(folder, connectApi(process.env, signal), means, plan);
  const { deployed, failed } = await output.progress('building and publishing', work);
  if (deployed.length > 0) output.result(deployed, () => published(deployed, performance.now() - startedAt));
  for (const { name } of deployed.filter(({ placed }) => !placed))
    output.note(`${name} is published and not served yet: a role is away or slow; GET /healthz of the API says which`);
  for (const { name, version, serving = version.number } of deployed)
    if (serving !== version.number)
      output.note(
        `${name}: version ${version.number} is being rolled out, version ${serving} serves; "swiftlet rollout status ${name}" shows how far it is`,
      );
  const [first, ...others] = failed;
  if (first === undefined) return;
  for (const { name, error } of others) output.note(`${errorColours.red(`${name}:`)} ${messageOf(error)}`);
  throw named(first.name, first.error, deployed.length + failed.length);
}

/** The signals that ask for an end end the build, so that it can clean up. */
function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () =>
      stop.abort(new SwiftletError('ClientClosedRequest', `stopped by ${signal}; what was not published yet is not`)),
    );
  }
  return stop.signal;
}

function published(deployed: readonly Deployed[], tookMs: number): string {
  const rows = deployed.map(({ name, version, created, size, url }) => [
    colours.bold(name),
    `version ${version.number}${created ? '' : ' (unchanged)'}`,
    `${Math.ceil(size / 1024)} KiB`,
    url,
  ]);
  const curl = `${colours.dim(`in ${(tookMs / 1000).toFixed(2)} s; try it:`)} curl ${deployed[0]?.url ?? ''}`;
  return `${table(['FUNCTION', 'VERSION', 'SIZE', 'URL'], rows)}\n\n${curl}`;
}

/** Of several functions the message says which it was. */
function named(name: string, error: unknown, functions: number): unknown {
  if (functions === 1 || !(error instanceof SwiftletError)) return error;
  return new SwiftletError(error.code, `${name}: ${error.message}`, {
    cause: error,
    ...(error.place === undefined ? {} : { place: error.place }),
  });
}
