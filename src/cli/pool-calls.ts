/** The API's calls about custom pools. */
import { z } from 'zod';
import type { PoolSettings } from '../model/custom-pool.ts';
import { customPoolStatusSchema } from '../wire/agent-calls.ts';
import type { ApiClient } from './api-client.ts';

const poolSchema = z.object({
  name: z.string(),
  runtime: z.string(),
  memoryMiB: z.int(),
  layers: z.array(z.string()),
  preload: z.array(z.string()),
  minimum: z.int(),
  maximum: z.int(),
  createdAt: z.string(),
  functions: z.array(z.string()),
  state: customPoolStatusSchema.optional(),
});
export type PoolView = z.output<typeof poolSchema>;

const placeOf = (name: string): string => `/v1/pools/${encodeURIComponent(name)}`;

export const listPools = async (api: ApiClient): Promise<PoolView[]> =>
  (await api.json(z.object({ pools: z.array(poolSchema) }), 'GET', '/v1/pools')).pools;

export const describePool = (api: ApiClient, name: string): Promise<PoolView> => api.json(poolSchema, 'GET', placeOf(name));

/** What is left out is the platform's to fill in. */
export type PoolDraft = { readonly [Key in keyof PoolSettings]?: unknown };

export const createPool = (api: ApiClient, name: string, draft: PoolDraft): Promise<PoolView> =>
  api.json(poolSchema, 'PUT', placeOf(name), draft);

export const deletePool = (api: ApiClient, name: string): Promise<void> => api.send('DELETE', placeOf(name));
