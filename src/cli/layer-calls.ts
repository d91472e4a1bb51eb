/** The API's calls about layers. */
import { z } from 'zod';
import type { LayerId, LayerNotes } from '../model/layer.ts';
import type { ApiClient } from './api-client.ts';

const layerSchema = z.object({
  name: z.string(),
  version: z.int(),
  digest: z.string(),
  size: z.int(),
  createdAt: z.string(),
  description: z.string().optional(),
  functions: z.array(z.string()),
});
export type LayerView = z.output<typeof layerSchema>;

const versionsOf = (name: string): string => `/v1/layers/${encodeURIComponent(name)}/versions`;

export const listLayers = async (api: ApiClient): Promise<LayerView[]> =>
  (await api.json(z.object({ layers: z.array(layerSchema) }), 'GET', '/v1/layers')).layers;

export const publishLayer = (api: ApiClient, name: string, draft: LayerNotes & { readonly digest: string }): Promise<LayerView> =>
  api.json(layerSchema, 'POST', versionsOf(name), draft);

export const removeLayer = (api: ApiClient, { name, version }: LayerId): Promise<void> =>
  api.send('DELETE', `${versionsOf(name)}/${version}`);
