import { SwiftletError } from '../../model/errors.ts';
import { layerReference, parseLayer } from '../../model/layer.ts';
import { nameRule, nameSchema } from '../../model/names.ts';
import { colours } from '../colours.ts';
import { connectApi } from '../connect-api.ts';
import { listLayers, publishLayer, removeLayer } from '../layer-calls.ts';
import { openOutput } from '../output.ts';
import { packLayer } from '../pack-layer.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { untilInterrupted } from '../until-interrupted.ts';

interface JsonFlag {
  readonly json?: boolean;
}

export interface PublishFlags extends JsonFlag {
  readonly from: readonly string[];
  readonly description?: string;
}

const bytesPerKiB = 1024;

export async function publish(name: string, files: string | undefined, { json = false, from, description }: PublishFlags): Promise<void> {
  if (!nameSchema.safeParse(name).success) throw new SwiftletError('NameInvalid', `"${name}" is no layer's name: it is ${nameRule}`);
  const output = openOutput(json);
  const signal = untilInterrupted();
  const api = connectApi(process.env, signal);
  const work = async () => {
    const packed = await packLayer(files, from, signal);
    await api.putArtifact(packed);
    return publishLayer(api, name, { digest: packed.digest, ...(description === undefined ? {} : { description }) });
  };
  const layer = await output.progress('packing and publishing', work());
  const reference = layerReference(layer);
  output.result(
    layer,
    () => `${colours.bold(reference)} is published, ${kibibytes(layer.size)}. A function gets it by its manifest: layers: [${reference}]`,
  );
}

export async function list({ json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const layers = await output.progress('listing', listLayers(connectApi(process.env)));
  output.result(layers, () => {
    if (layers.length === 0) return 'No layers. Make one: swiftlet layer publish <name> <folder>';
    const rows = layers.map((layer) => [
      colours.bold(layerReference(layer)),
      kibibytes(layer.size),
      layer.createdAt,
      printable(layer.description ?? ''),
      layer.functions.join(', '),
    ]);
    return table(['LAYER', 'SIZE', 'PUBLISHED', 'DESCRIPTION', 'USED BY'], rows);
  });
}

export async function remove(reference: string, { json = false }: JsonFlag): Promise<void> {
  const id = parseLayer(reference);
  if (id === undefined)
    throw new SwiftletError('BadRequest', `"${reference}" names no version of a layer; it is name:version, such as libs:3`);
  const output = openOutput(json);
  await output.progress('removing', removeLayer(connectApi(process.env), id));
  output.result({ removed: reference }, () => `The layer ${reference} is removed.`);
}

const kibibytes = (bytes: number): string => `${Math.ceil(bytes / bytesPerKiB)} KiB`;
