/** Layers: shared files that an artifact builds on. A version of one is immutable, as a function's is, and mounted below `/opt`. */
import { z } from 'zod';
import { builtInLayerNames, isBuiltInLayer } from './built-in-layer.ts';
import { maxLayers } from './limits.ts';
import { namePattern, nameRule, nameSchema } from './names.ts';

/** Names one version of a layer: `name:version`. */
export interface LayerId {
  readonly name: string;
  readonly version: number;
}

const largestVersion = 1_000_000_000;
const form = `it is name:version, such as libs:3, or a built-in one: ${builtInLayerNames.join(', ')}; a name is ${nameRule}`;

/** As people write it: `name:version`, or the name of a built-in layer. Configurations that are stored have versions alone. */
export const layerReferenceSchema = z.string(form).refine((text) => parseLayer(text) !== undefined || isBuiltInLayer(text), form);

/** @returns undefined when it names no version of one */
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
export const publisherNotesSchema = z.strictObject({
  description: z.string().max(maxText.description).optional(),
  license: z.string().max(maxText.license).optional(),
  runtimes: z.array(z.string().min(1).max(maxText.runtime)).max(maxText.runtimes).optional(),
});

export const layerNotesSchema = publisherNotesSchema.extend({
  /** Of one that the platform made: what it was made of, see `BuiltInLayers`. Absent: somebody published it. */
  builtIn: z
    .string()
    .optional()
    .describe('Of a built-in layer, which the platform made: which edition of it; absent: somebody published it'),
});
export type LayerNotes = Readonly<z.output<typeof layerNotesSchema>>;
