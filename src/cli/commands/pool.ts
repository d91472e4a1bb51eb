import { packagesNamed } from '../../build/layer-packages.ts';
import { memorySchema } from '../../build/quantities.ts';
import { SwiftletError } from '../../model/errors.ts';
import { layerReference } from '../../model/layer.ts';
import { memoryMiB } from '../../model/limits.ts';
import { nameRule, nameSchema } from '../../model/names.ts';
import type { ApiClient } from '../api-client.ts';
import { colours } from '../colours.ts';
import { connectApi } from '../connect-api.ts';
import { packLayer } from '../pack-layer.ts';
import { publishLayer } from '../layer-calls.ts';
import { openOutput } from '../output.ts';
import { createPool, deletePool, describePool, listPools, type PoolView } from '../pool-calls.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { untilInterrupted } from '../until-interrupted.ts';

interface JsonFlag {
  readonly json?: boolean;
}

export interface CreateFlags extends JsonFlag {
  readonly from: readonly string[];
  readonly layer: readonly string[];
  readonly preload: readonly string[];
  readonly runtime?: string;
  readonly memory?: string;
  readonly min?: string;
  readonly max?: string;
}

const bytesPerMiB = 1024 * 1024;

export async function create(name: string, files: string | undefined, flags: CreateFlags): Promise<void> {
  const { json = false, from, layer, runtime } = flags;
  if (!nameSchema.safeParse(name).success) throw new SwiftletError('NameInvalid', `"${name}" is no pool's name: it is ${nameRule}`);
  const preload = flags.preload.length > 0 ? flags.preload : packagesNamed(from);
  if (preload.length === 0)
    throw new SwiftletError('BadRequest', 'say what is imported: --preload <module>, as code names it, or packages by --from');
  const draft = {
    preload,
    runtime,
    memoryMiB: memoryOf(flags.memory),
    minimum: countOf('--min', flags.min),
    maximum: countOf('--max', flags.max),
  };
  const output = openOutput(json);
  const signal = untilInterrupted();
  const api = connectApi(process.env, signal);
  const work = async () => {
    const made = files === undefined && from.length === 0 ? [] : [await layerOf(api, name, { files, from, signal })];
    return createPool(api, name, { ...draft, layers: [...layer, ...made] });
  };
  const pool = await output.progress('making the pool', work());
  output.result(pool, () => `The pool ${colours.bold(pool.name)} is there. A function uses it by its manifest: pool: ${pool.name}`);
}

export async function list({ json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const pools = await output.progress('listing', listPools(connectApi(process.env)));
  output.result(pools, () => {
    if (pools.length === 0) return 'No pools. Make one: swiftlet pool create <name> --from npm:<package>';
    const rows = pools.map((pool) => [
      colours.bold(pool.name),
      pool.runtime,
      `${pool.memoryMiB} MiB`,
      `${pool.minimum}–${pool.maximum}`,
      pool.preload.join(', '),
      pool.functions.join(', '),
    ]);
    return table(['POOL', 'RUNTIME', 'MEMORY', 'SIZE', 'PRELOADS', 'USED BY'], rows);
  });
}

export async function describe(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const pool = await output.progress('asking', describePool(connectApi(process.env), name));
  output.result(pool, () => described(pool));
}

export async function remove(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  await output.progress('deleting', deletePool(connectApi(process.env), name));
  output.result({ deleted: name }, () => `The pool ${name} is deleted.`);
}

interface Files {
  readonly files: string | undefined;
  readonly from: readonly string[];
  readonly signal: AbortSignal;
}

/** @returns name:version of the layer that they are now */
async function layerOf(api: ApiClient, name: string, { files, from, signal }: Files): Promise<string> {
  const packed = await packLayer(files, from, signal);
  await api.putArtifact(packed);
  return layerReference(await publishLayer(api, name, { digest: packed.digest }));
}

function described({ state, ...pool }: PoolView): string {
  const lines = [
    ['runtime', `${pool.runtime}, ${pool.memoryMiB} MiB`],
    ['layers', pool.layers.join(', ') || 'none'],
    ['preloads', pool.preload.join(', ')],
    ['size', `${pool.minimum} to ${pool.maximum}`],
    ['used by', pool.functions.join(', ') || 'no function: nothing is warm'],
    ...(state === undefined ? [] : [['warm', warmText(state)]]),
    ...(state?.failures ?? []).map((failure) => ['not imported', printable(failure)]),
  ];
  return [colours.bold(pool.name), ...lines.map(([what = '', text = '']) => `  ${what.padEnd(13)} ${text}`)].join('\n');
}

const warmText = ({ ready, target, booting, memoryBytes }: NonNullable<PoolView['state']>): string =>
  `${ready} of ${target}${booting === 0 ? '' : `, ${booting} on the way`}${memoryBytes === 0 ? '' : `, ${Math.ceil(memoryBytes / bytesPerMiB)} MiB each`}`;

function memoryOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = memorySchema(memoryMiB).safeParse(/^\d+$/.test(text) ? Number(text) : text);
  if (parsed.success) return parsed.data;
  throw new SwiftletError('BadRequest', `--memory ${text}: ${parsed.error.issues[0]?.message ?? 'it is no size'}`);
}

function countOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new SwiftletError('BadRequest', `${flag} ${text}: it is a number of sandboxes`);
}
