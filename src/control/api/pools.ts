import { z } from 'zod';
import { poolSettingsSchema } from '../../model/custom-pool.ts';
import { nameSchema } from '../../model/names.ts';
import { customPoolStatusSchema } from '../../wire/agent-calls.ts';
import type { PoolRecord } from '../pools/pool-store.ts';
import { createPool, findPool, removePool } from '../pools/pools.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

const poolParams = z.object({ pool: nameSchema.describe('The name of the pool') });
const poolSchema = z.object({
  ...poolSettingsSchema.shape,
  name: nameSchema,
  createdAt: z.iso.datetime(),
  functions: z.array(nameSchema).describe('Those that use it'),
});
const describedSchema = poolSchema.extend({
  state: customPoolStatusSchema
    .optional()
    .describe('Its warm sandboxes; absent while no function that is published uses it, and while the agent is away'),
});

type Users = ReadonlyMap<string, readonly string[]>;

/** Custom pools: warm sandboxes that have imported what functions import. */
export function pools(
  api: Api,
  { store, roles, builtInLayers, config, now }: Pick<ApiMeans, 'store' | 'roles' | 'builtInLayers' | 'config' | 'now'>,
): void {
  const view = ({ name, runtime, memoryMiB, layers, preload, minimum, maximum, createdAt }: PoolRecord, users: Users) => ({
    name,
    runtime,
    memoryMiB,
    layers: [...layers],
    preload: [...preload],
    minimum,
    maximum,
    createdAt,
    functions: [...(users.get(name) ?? [])],
  });

  api.get('/v1/pools', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'List custom pools',
      description: 'With what uses them.',
      response: { 200: z.object({ pools: z.array(poolSchema) }), ...problems },
    },
    handler: async ({ tenant }) => {
      const [records, users] = await Promise.all([store.pools.list(tenant), store.pools.users(tenant)]);
      return { pools: records.map((record) => view(record, users)) };
    },
  });

  api.get('/v1/pools/:pool', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'Describe a custom pool',
      description: 'What uses it, how many of its sandboxes are warm, and what could not be preloaded.',
      params: poolParams,
      response: { 200: describedSchema, ...problems },
    },
    handler: async ({ params: { pool: name }, tenant }) => {
      const record = await findPool(store.pools, tenant, name);
      const [users, state] = await Promise.all([store.pools.users(tenant), roles.customPool(tenant, name)]);
      return { ...view(record, users), ...(state === undefined ? {} : { state }) };
    },
  });

  api.put('/v1/pools/:pool', {
    config: needs('change', 'tenant'),
    schema: {
      summary: 'Make a custom pool',
      description:
        'Functions that name it start in a sandbox that has imported the modules of `preload` already. Its sandboxes are warm where a function is published that uses it. With the settings that it has already nothing changes.',
      params: poolParams,
      body: poolSettingsSchema,
      response: { 200: poolSchema.describe('There is this one already'), 201: poolSchema.describe('It is made'), ...problems },
    },
    handler: async ({ params: { pool: name }, body, tenant }, reply) => {
      const createdAt = new Date(now()).toISOString();
      const settings = { ...body, layers: await builtInLayers.resolve(tenant, body.layers) };
      const { pool, created } = await createPool(store.pools, { tenant, name, createdAt }, settings, config.agent);
      return reply.code(created ? 201 : 200).send(view(pool, await store.pools.users(tenant)));
    },
  });

  api.delete('/v1/pools/:pool', {
    config: needs('change', 'tenant'),
    schema: {
      summary: 'Delete a custom pool',
      description: 'One that no function uses.',
      params: poolParams,
      response: { 204: z.undefined().describe('It is gone'), ...problems },
    },
    handler: async ({ params: { pool: name }, tenant }, reply) => {
      await removePool(store.pools, tenant, name);
      return reply.code(204).send();
    },
  });
}
