/** Layers: shared files that an artifact builds on. A version of one is immutable, as a function's is, and mounted below `/opt`. */
import { z } from 'zod';
import { maxLayers } from './limits.ts';
import { namePattern, nameRule, nameSchema } from './names.ts';

/** Names one version of a layer: `name:version`. */
export interface LayerId {
  readonly name: string;
  readonly version: number;
}

const largestVersion = 1_000_000_000;
const form = `it is name:version, such as libs:3; the name is ${nameRule}`;

/** As people and configurations write it. */
export const layerReferenceSchema = z.string(form).refine((text) => parseLayer(text) !== undefined, form);

/** @returns undefined when it is none */
export function parseLayer(text: string): LayerId | undefined {
  const [name = '', number = '', ...rest] = text.split(':');
  const isVersion = /^[1-9]\d*$/.test(number) && Number(number) <= largestVersion;
  return rest.length === 0 && isVersion && namePattern.test(name) && nameSchema.safeParse(name).success
    ? { name, version: Number(number) }
    : undefined;
}

export const layerReference = ({ name, version }: LayerId): string => `${name}:${version}`;

/** What a function builds on, in the order of mounting: of files at the same place the last layer's counts. */
export const layersSchema = z
  .array(layerReferenceSchema, 'it is a list of layers, such as [libs:3]')
  .max(maxLayers, `a function has at most ${String(maxLayers)} layers`)
  .refine(
    (layers) => new Set(layers.map((layer) => layer.split(':')[0])).size === layers.length,
    'a layer is there twice; name one version of it',
  );

export const layerVersionSchema = z.int().min(1).max(largestVersion);

const maxText = { description: 256, license: 512, runtimes: 15, runtime: 64 } as const;

/** What its publisher says of it; the platform acts on none of it. */
export const layerNotesSchema = z.strictObject({
  description: z.string().max(maxText.description).optional(),
  license: z.string().max(maxText.license).optional(),
  runtimes: z.array(z.string().min(1).max(maxText.runtime)).max(maxText.runtimes).optional(),
});
export type LayerNotes = Readonly<z.output<typeof layerNotesSchema>>;
