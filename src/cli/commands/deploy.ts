import { join } from 'node:path';
import { SwiftletError } from '../../model/errors.ts';
import { cacheFolder, homeFolder, tokenFile } from '../../role/home.ts';
import { connectApi } from '../connect-api.ts';
import { colours, errorColours } from '../colours.ts';
import { buildPlaceOf } from '../build-place.ts';
import { type Deployed, deployFolder } from '../deploy.ts';
import { messageOf } from '../failure.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { planOf, type RolloutFlags } from '../rollout-flags.ts';
import { sizeLines } from '../size-text.ts';
import { table } from '../table.ts';
import { untilInterrupted } from '../until-interrupted.ts';

export interface DeployFlags extends Pick<RolloutFlags, 'steps' | 'keep'> {
  /** A strategy. */
  readonly rollout?: string;
  /** Where dependencies are installed. */
  readonly build?: string;
  /** What a file of another tool is read for. */
  readonly stage?: string;
  readonly json?: boolean;
}

export async function deploy(folder: string, { rollout, build, stage, json = false, ...flags }: DeployFlags): Promise<void> {
  if (stage === '') throw new SwiftletError('BadRequest', '--stage is the name of a stage, such as dev', { place: '--stage' });
  const plan = planOf({ ...flags, ...(rollout === undefined ? {} : { strategy: rollout }) });
  const output = openOutput(json);
  const startedAt = performance.now();
  const signal = untilInterrupted();
  const said = (name: string, line: string) => output.note(`${errorColours.dim(`${name}:`)} ${printable(line)}`);
  const notTaken = (line: string) => output.warning(`${errorColours.yellow('not taken over:')} ${printable(line)}`);
  const means = { cache: join(cacheFolder(process.env), 'dependencies'), signal, build: buildPlaceOf(build), said, stage, notTaken };
  const work = deployFolder(folder, connectApi(process.env, signal), means, plan);
  const { deployed, failed } = await output.progress('building and publishing', work);
  if (deployed.length > 0) output.result(deployed, () => published(deployed, performance.now() - startedAt));
  for (const { name } of deployed.filter(({ placed }) => !placed))
    output.note(`${name} is published and not served yet: a role is away or slow; GET /healthz of the API says which`);
  for (const { name, lacks } of deployed)
    if (lacks !== undefined)
      output.warning(`${errorColours.yellow(`${name} is published, and may lack what it imports:`)} ${printable(lacks)}`);
  for (const { name, bundle } of deployed) {
    if (bundle?.kind === 'plain' && bundle.why !== '')
      output.note(`${name} is not bundled and starts as it is: ${printable(bundle.why)}; "build: { bundle: never }" spares it the try`);
    if (bundle?.kind === 'pending')
      output.note(`${name} serves, and starts as it is until its bundle is made; "swiftlet describe ${name}" says when it is`);
  }
  for (const { name, sizeAdvice, bundle } of deployed)
    for (const line of sizeLines(sizeAdvice, bundle?.kind === 'bundled')) output.note(`${errorColours.dim(`${name}:`)} ${printable(line)}`);
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

function published(deployed: readonly Deployed[], tookMs: number): string {
  const rows = deployed.map(({ name, version, created, size, url }) => [
    colours.bold(name),
    `version ${version.number}${created ? '' : ' (unchanged)'}`,
    `${Math.ceil(size / 1024)} KiB`,
    url,
  ]);
  const [first] = deployed;
  const trial = first === undefined ? '' : `${colours.dim(`in ${(tookMs / 1000).toFixed(2)} s; try it:`)} ${call(first)}`;
  return `${table(['FUNCTION', 'VERSION', 'SIZE', 'URL'], rows)}\n\n${trial}`;
}

function call({ callers, url }: Deployed): string {
  if (callers !== 'token') return `curl ${url}`;
  const token = process.env['SWIFTLET_TOKEN'] === undefined ? `$(cat ${tokenFile(homeFolder(process.env))})` : '$SWIFTLET_TOKEN';
  return `curl -H "authorization: Bearer ${token}" ${url}`;
}

/** Of several functions the message says which it was. */
function named(name: string, error: unknown, functions: number): unknown {
  if (functions === 1 || !(error instanceof SwiftletError)) return error;
  return new SwiftletError(error.code, `${name}: ${error.message}`, {
    cause: error,
    ...(error.place === undefined ? {} : { place: error.place }),
  });
}
