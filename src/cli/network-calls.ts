/** The API's calls about private networks. */
import { z } from 'zod';
import { privateNetworkStateSchema } from '../wire/agent-calls.ts';
import type { ApiClient } from './api-client.ts';

const networkSchema = z.object({
  name: z.string(),
  ranges: z.array(z.string()),
  proxies: z.array(z.string()),
  tunnels: z.array(z.int()),
  createdAt: z.string(),
  functions: z.array(z.string()),
});
const describedSchema = networkSchema.extend({ state: privateNetworkStateSchema.optional() });

export type DescribedNetwork = z.output<typeof describedSchema>;
export type NetworkView = z.output<typeof networkSchema>;

const pathOf = (name: string): string => `/v1/networks/${encodeURIComponent(name)}`;

export const listNetworks = async (api: ApiClient): Promise<NetworkView[]> =>
  (await api.json(z.object({ networks: z.array(networkSchema) }), 'GET', '/v1/networks')).networks;

export const describeNetwork = (api: ApiClient, name: string): Promise<DescribedNetwork> => api.json(describedSchema, 'GET', pathOf(name));

export const createNetwork = (
  api: ApiClient,
  name: string,
  settings: { readonly ranges: readonly string[]; readonly proxies: readonly string[] },
): Promise<NetworkView> => api.json(networkSchema, 'PUT', pathOf(name), settings);

export const removeNetwork = (api: ApiClient, name: string): Promise<void> => api.send('DELETE', pathOf(name));
