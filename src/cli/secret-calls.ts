/** The API's calls about secrets. Values go out only. */
import { z } from 'zod';
import type { ApiClient } from './api-client.ts';

const secretSchema = z.object({
  name: z.string(),
  version: z.int(),
  createdAt: z.string(),
  changedAt: z.string(),
  functions: z.array(z.string()),
});
const describedSchema = secretSchema.extend({
  instances: z.object({ current: z.int(), older: z.int(), failure: z.string().optional() }).optional(),
});
const rootKeySchema = z.object({ source: z.string(), id: z.string(), rewrapped: z.int() });

export type SecretView = z.output<typeof secretSchema>;
export type DescribedSecret = z.output<typeof describedSchema>;

const pathOf = (name: string): string => `/v1/secrets/${encodeURIComponent(name)}`;

export const listSecrets = async (api: ApiClient): Promise<SecretView[]> =>
  (await api.json(z.object({ secrets: z.array(secretSchema) }), 'GET', '/v1/secrets')).secrets;

export const describeSecret = (api: ApiClient, name: string): Promise<DescribedSecret> => api.json(describedSchema, 'GET', pathOf(name));

export const setSecret = (api: ApiClient, name: string, value: string): Promise<SecretView> =>
  api.json(secretSchema, 'PUT', pathOf(name), { value });

export const rotateSecret = (api: ApiClient, name: string, value: string): Promise<SecretView> =>
  api.json(secretSchema, 'POST', `${pathOf(name)}/rotate`, { value });

export const removeSecret = (api: ApiClient, name: string): Promise<void> => api.send('DELETE', pathOf(name));

export const rotateRootKey = (api: ApiClient) => api.json(rootKeySchema, 'POST', '/v1/root-key/rotate', {});
