import { z } from 'zod';
import { digestSchema } from '../../model/function.ts';
import { layerNotesSchema, layerReference, layerVersionSchema, publisherNotesSchema } from '../../model/layer.ts';
import { nameSchema } from '../../model/names.ts';
import { findLayer, publishLayer, removeLayer } from '../layers/layers.ts';
import type { LayerRecord } from '../layers/layer-store.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

const layerParams = z.object({ layer: nameSchema.describe('The name of the layer') });
const layerVersionParams = layerParams.extend({
  version: z.string().regex(/^\d+$/, 'a version is a number').transform(Number).pipe(layerVersionSchema).describe('Its version'),
});
const draftSchema = publisherNotesSchema.extend({ digest: digestSchema.describe('The artifact that it is') });
const layerSchema = layerNotesSchema.extend({
  name: nameSchema,
  version: z.int(),
  digest: z.string(),
  size: z.int().describe('Bytes, packed'),
  createdAt: z.iso.datetime(),
  functions: z.array(nameSchema).describe('Those with a version that builds on it'),
});

/** Layers: shared files that functions build on. */
export function layers(api: Api, { store, now }: Pick<ApiMeans, 'store' | 'now'>): void {
  const view = ({ name, version, digest, size, notes, createdAt }: LayerRecord, users: ReadonlyMap<string, readonly string[]>) => ({
    name,
    version,
    digest,
    size,
    createdAt,
    ...notes,
    functions: [...(users.get(layerReference({ name, version })) ?? [])],
  });

  api.get('/v1/layers', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'List layers',
      description: 'All their versions, the newest of each first, with what builds on them.',
      response: { 200: z.object({ layers: z.array(layerSchema) }), ...problems },
    },
    handler: async ({ tenant }) => {
      const [records, users] = await Promise.all([store.layers.list(tenant), store.layers.users(tenant)]);
      return { layers: records.map((record) => view(record, users)) };
    },
  });

  api.get('/v1/layers/:layer/versions/:version', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'Describe a version of a layer',
      description: 'What it is, and what builds on it.',
      params: layerVersionParams,
      response: { 200: layerSchema, ...problems },
    },
    handler: async ({ params: { layer: name, version }, tenant }) => {
      const [record, users] = await Promise.all([findLayer(store.layers, tenant, { name, version }), store.layers.users(tenant)]);
      return view(record, users);
    },
  });

  api.post('/v1/layers/:layer/versions', {
    config: needs('change', 'tenant'),
    schema: {
      summary: 'Publish a version of a layer',
      description:
        'Of an artifact that was uploaded. Functions name it as name:version and have its files below /opt. Of what the newest version is already no further one is made.',
      params: layerParams,
      body: draftSchema,
      response: {
        200: layerSchema.describe('The newest version is this already'),
        201: layerSchema.describe('It is published'),
        ...problems,
      },
    },
    handler: async ({ params: { layer: name }, body: { digest, ...notes }, tenant }, reply) => {
      const draft = { digest, notes, createdAt: new Date(now()).toISOString() };
      const { layer, created } = await publishLayer(store.layers, tenant, name, draft);
      return reply.code(created ? 201 : 200).send(view(layer, await store.layers.users(tenant)));
    },
  });

  api.delete('/v1/layers/:layer/versions/:version', {
    config: needs('change', 'tenant'),
    schema: {
      summary: 'Remove a version of a layer',
      description: 'One that no version of a function builds on. Its number is never given again.',
      params: layerVersionParams,
      response: { 204: z.undefined().describe('It is gone'), ...problems },
    },
    handler: async ({ params: { layer: name, version }, tenant }, reply) => {
      await removeLayer(store.layers, tenant, { name, version });
      return reply.code(204).send();
    },
  });
}
