import { z } from 'zod';
import { nameSchema } from '../../model/names.ts';
import { secretValueSchema } from '../../model/secret.ts';
import { rootKeySources } from '../../role/root-keys.ts';
import type { SecretRecord } from '../secrets/secret-store.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

const secretParams = z.object({ secret: nameSchema.describe('The name of the secret') });
const valueBody = z.strictObject({ value: secretValueSchema.describe('The value; no answer ever has it') });
const secretSchema = z.object({
  name: nameSchema,
  version: z.int().describe('Counts its values'),
  createdAt: z.iso.datetime(),
  changedAt: z.iso.datetime().describe('When it got its present value'),
  functions: z.array(nameSchema).describe('Those that refer to it'),
});
const useSchema = z.object({
  current: z.int().describe('Instances with the newest value'),
  older: z.int().describe('Instances with another one, which are being replaced'),
  failure: z.string().optional().describe('Why a new instance did not start; the old one goes on'),
});
const describedSchema = secretSchema.extend({ instances: useSchema.optional().describe('Absent while the agent is away') });
const rootKeySchema = z.object({
  source: z.enum(rootKeySources),
  id: z.string().describe('Names the key; it tells nothing of it'),
  rewrapped: z.int().describe('Secrets whose keys are wrapped anew'),
});

/** Secrets: set, rotated, and never read back. */
export function secrets(api: Api, { secrets: all, roles }: Pick<ApiMeans, 'secrets' | 'roles'>): void {
  const view = ({ name, version, createdAt, changedAt }: SecretRecord, users: ReadonlyMap<string, readonly string[]>) => ({
    name,
    version,
    createdAt,
    changedAt,
    functions: [...(users.get(name) ?? [])],
  });

  api.get('/v1/secrets', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'List secrets',
      description: 'Their names and what refers to them; the values are told to nobody.',
      response: { 200: z.object({ secrets: z.array(secretSchema) }), ...problems },
    },
    handler: async ({ tenant }) => {
      const [records, users] = await Promise.all([all.list(tenant), all.users(tenant)]);
      return { secrets: records.map((record) => view(record, users)) };
    },
  });

  api.get('/v1/secrets/:secret', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'Describe a secret',
      description: 'What refers to it, and how far a rotation is.',
      params: secretParams,
      response: { 200: describedSchema, ...problems },
    },
    handler: async ({ params: { secret: name }, tenant }) => {
      const record = await all.find(tenant, name);
      const [users, instances] = await Promise.all([all.users(tenant), roles.secretUse(tenant, name)]);
      return { ...view(record, users), ...(instances === undefined ? {} : { instances }) };
    },
  });

  api.put('/v1/secrets/:secret', {
    config: needs('change', 'tenant'),
    schema: {
      summary: 'Set a secret',
      description: 'One that there is not. With the value that it has already nothing changes; for another one there is its rotation.',
      params: secretParams,
      body: valueBody,
      response: { 200: secretSchema.describe('It has this value already'), 201: secretSchema.describe('It is set'), ...problems },
    },
    handler: async ({ params: { secret: name }, body: { value }, tenant }, reply) => {
      const { record, created } = await all.set(tenant, name, value);
      return reply.code(created ? 201 : 200).send(view(record, await all.users(tenant)));
    },
  });

  api.post('/v1/secrets/:secret/rotate', {
    config: needs('change', 'tenant'),
    schema: {
      summary: 'Give a secret a new value',
      description:
        'Whatever starts from now on has it. Running instances are replaced: new ones first, then the old ones end what they have under way. Its description tells how far that is.',
      params: secretParams,
      body: valueBody,
      response: { 200: secretSchema, ...problems },
    },
    handler: async ({ params: { secret: name }, body: { value }, tenant }) => {
      const record = await all.rotate(tenant, name, value);
      return view(record, await all.users(tenant));
    },
  });

  api.delete('/v1/secrets/:secret', {
    config: needs('change', 'tenant'),
    schema: {
      summary: 'Remove a secret',
      description: 'One that no function refers to.',
      params: secretParams,
      response: { 204: z.undefined().describe('It is gone'), ...problems },
    },
    handler: async ({ params: { secret: name }, tenant }, reply) => {
      await all.remove(tenant, name);
      return reply.code(204).send();
    },
  });

  api.post('/v1/root-key/rotate', {
    config: needs('administer', 'platform'),
    schema: {
      summary: 'Rotate the root key',
      description:
        'Makes a new one where Swiftlet keeps it, or takes the one that the operator has put in front of the old one, and wraps the key of every secret with it. No instance is touched.',
      response: { 200: rootKeySchema, ...problems },
    },
    handler: async () => {
      const rewrapped = await all.rotateRootKey();
      const { source, id } = all.rootKey;
      return { source, id, rewrapped };
    },
  });
}
