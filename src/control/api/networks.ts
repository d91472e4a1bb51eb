import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { nameSchema } from '../../model/names.ts';
import { privateNetworkSettingsSchema } from '../../model/private-network.ts';
import { privateNetworkStateSchema } from '../../wire/agent-calls.ts';
import { tunnelsOf } from '../../wire/tunnel.ts';
import { networkExists, networkInUse, networkNotFound } from '../network-refusals.ts';
import type { NetworkRecord } from '../network-store.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

const networkParams = z.object({ network: nameSchema.describe('The name of the private network') });
const networkSchema = privateNetworkSettingsSchema.extend({
  name: nameSchema,
  tunnels: z.array(z.int()).length(2).describe('What each proxy is started with, as --tunnel'),
  createdAt: z.iso.datetime(),
  functions: z.array(nameSchema).describe('Those that name it'),
});
const describedSchema = networkSchema.extend({
  state: privateNetworkStateSchema.optional().describe('Absent while the agent is away, and where functions have no network'),
});

/** As many as there can be; by chance, so that several platforms may use a host as their proxy. */
const drawNumber = (): number => randomInt(1, 2 ** 23);

/** Private networks: made, described and removed. */
export function networks(api: Api, { store, roles, now }: Pick<ApiMeans, 'store' | 'roles' | 'now'>): void {
  const view = ({ name, number, ranges, proxies, createdAt }: NetworkRecord, users: ReadonlyMap<string, readonly string[]>) => ({
    name,
    ranges: [...ranges],
    proxies,
    tunnels: [...tunnelsOf(number)],
    createdAt,
    functions: [...(users.get(name) ?? [])],
  });

  api.get('/v1/networks', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'List private networks',
      description: 'With what names them.',
      response: { 200: z.object({ networks: z.array(networkSchema) }), ...problems },
    },
    handler: async ({ tenant }) => {
      const [records, users] = await Promise.all([store.networks.list(tenant), store.networks.users(tenant)]);
      return { networks: records.map((record) => view(record, users)) };
    },
  });

  api.get('/v1/networks/:network', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'Describe a private network',
      description: 'What names it, how its tunnels are, which proxy is used, and what to do about what is wrong.',
      params: networkParams,
      response: { 200: describedSchema, ...problems },
    },
    handler: async ({ params: { network: name }, tenant }) => {
      const record = await store.networks.find(tenant, name);
      if (record === undefined) throw networkNotFound(name);
      const [users, state] = await Promise.all([store.networks.users(tenant), roles.privateNetwork(tenant, name)]);
      return { ...view(record, users), ...(state === undefined ? {} : { state }) };
    },
  });

  api.put('/v1/networks/:network', {
    config: needs('administer', 'tenant'),
    schema: {
      summary: 'Make a private network',
      description:
        'Ranges of addresses that functions reach through two proxies, which are to be started on hosts in the network. With the settings that it has already nothing changes.',
      params: networkParams,
      body: privateNetworkSettingsSchema,
      response: { 200: networkSchema.describe('There is this one already'), 201: networkSchema.describe('It is made'), ...problems },
    },
    handler: async ({ params: { network: name }, body, tenant }, reply) => {
      const made = await store.networks.create(tenant, name, body, new Date(now()).toISOString(), drawNumber);
      if (made.kind === 'exists') throw networkExists(name);
      return reply.code(made.kind === 'created' ? 201 : 200).send(view(made.network, await store.networks.users(tenant)));
    },
  });

  api.delete('/v1/networks/:network', {
    config: needs('administer', 'tenant'),
    schema: {
      summary: 'Remove a private network',
      description: 'One that no function names.',
      params: networkParams,
      response: { 204: z.undefined().describe('It is gone'), ...problems },
    },
    handler: async ({ params: { network: name }, tenant }, reply) => {
      const removed = await store.networks.remove(tenant, name);
      if (removed.kind === 'missing') throw networkNotFound(name);
      if (removed.kind === 'in use') throw networkInUse(name, removed.functions);
      return reply.code(204).send();
    },
  });
}
