import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { digestSchema, functionConfigSchema, type Version, versionSchema } from '../../model/function.ts';
import { defaultTenant, nameSchema } from '../../model/names.ts';
import { rolloutPlanSchema } from '../../model/rollout.ts';
import { deploy } from '../deploy.ts';
import type { FunctionRecord } from '../store.ts';
import type { Api, ApiMeans } from './api.ts';
import { conditionOf, conditionHeaders, entityTag } from './conditions.ts';
import { flagSchema, functionSchema, functionSummarySchema, nameParams, problems, withHiddenValues } from './schemas.ts';

const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('Functions at most'),
  after: nameSchema.optional().describe('Only functions whose name comes after this one: the `next` of the page before'),
});
const listSchema = z.object({ functions: z.array(functionSummarySchema), next: nameSchema.optional() });
const deployBody = z.object({
  digest: digestSchema,
  config: functionConfigSchema.prefault({}),
  rollout: rolloutPlanSchema.optional().describe('How the version takes over; absent: as its configuration says'),
});
const deployedSchema = z.object({
  version: versionSchema,
  created: z.boolean().describe('False when the function served just this already'),
  placed: z.boolean().describe('Whether every gateway and agent acts on it already'),
  serving: z.int().describe('The version that serves now: another one while this is being rolled out'),
});

/** Functions: made and changed by deploying a version. */
export function functions(api: Api, means: ApiMeans): void {
  const { store, roles, logs, metrics, config } = means;
  const urlOf = (name: string) => `http://${config.gateway.host}:${config.gateway.port}/${name}`;
  const summary = ({ name, createdAt, serving }: FunctionRecord) => ({
    name,
    url: urlOf(name),
    createdAt,
    serving: withHiddenValues(serving),
  });

  api.get('/v1/functions', {
    schema: { summary: 'List functions', querystring: pageSchema, response: { 200: listSchema, ...problems } },
    handler: async ({ query: { limit, after } }) => {
      const found = await store.functions(defaultTenant, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      const page = found.slice(0, limit);
      const next = found.length > limit ? page.at(-1)?.name : undefined;
      return { functions: page.map(summary), ...(next === undefined ? {} : { next }) };
    },
  });

  api.get('/v1/functions/:name', {
    schema: {
      summary: 'Describe a function',
      params: nameParams,
      querystring: z.object({ reveal: flagSchema.describe('Show the values of the environment, too') }),
      response: { 200: functionSchema, ...problems },
    },
    handler: async ({ params: { name }, query: { reveal } }, reply) => {
      const record = existing(await store.findFunction(defaultTenant, name), name);
      const [running, statuses] = await Promise.all([roles.instances(), roles.provisioned()]);
      const provisioned = statuses.find((status) => status.tenant === defaultTenant && status.function === name);
      const instances = (running ?? []).filter((instance) => instance.tenant === defaultTenant && instance.function === name);
      reply.header('etag', entityTag(record.serving.number));
      return {
        ...summary(record),
        ...(reveal ? { serving: record.serving } : {}),
        instances,
        instancesKnown: running !== undefined,
        ...(provisioned === undefined ? {} : { provisioned }),
      };
    },
  });

  api.put('/v1/functions/:name', {
    schema: {
      summary: 'Deploy a version',
      description:
        'Makes the next version and lets it take over, at once or step by step. When the one that serves, or is being rolled out, is the same already, nothing changes.',
      params: nameParams,
      headers: conditionHeaders,
      body: deployBody,
      response: {
        200: deployedSchema.describe('Deployed, or unchanged'),
        201: deployedSchema.describe('Deployed; the function is new'),
        ...problems,
      },
    },
    handler: async ({ params: { name }, headers, body: { digest, config: wanted, rollout } }, reply) => {
      const expected = conditionOf(headers);
      const deployment = { tenant: defaultTenant, function: name, digest, config: wanted, createdAt: new Date(means.now()).toISOString() };
      try {
        const { version, created, isFirst, placed, serving } = await deploy(means, {
          ...deployment,
          ...(expected === undefined ? {} : { expected }),
          ...(rollout === undefined ? {} : { plan: rollout }),
        });
        metrics.deploy(deployment.tenant, created ? 'created' : 'unchanged');
        reply.code(isFirst ? 201 : 200).header('etag', entityTag(serving));
        return { version: withHiddenValues(version), created, placed, serving };
      } catch (error) {
        metrics.deploy(deployment.tenant, error instanceof SwiftletError ? error.code : 'Internal');
        throw error;
      }
    },
  });

  api.delete('/v1/functions/:name', {
    schema: {
      summary: 'Remove a function',
      description: 'With all its versions and its logs. Requests in flight may finish.',
      params: nameParams,
      response: { 204: z.undefined().describe('It is gone'), ...problems },
    },
    handler: async ({ params: { name }, id }, reply) => {
      const revision = await store.remove(defaultTenant, name);
      if (revision === undefined) throw notFound(name);
      // The function is gone whatever becomes of its log.
      logs.forget(defaultTenant, name).catch((error: unknown) => means.unforeseen(error, id));
      return reply.code(204).send();
    },
  });

  api.get('/v1/functions/:name/versions', {
    schema: {
      summary: 'List a function’s versions',
      description: 'Newest first. Old ones are dropped; their numbers are never given again.',
      params: nameParams,
      response: { 200: z.object({ serving: z.int(), versions: z.array(versionSchema) }), ...problems },
    },
    handler: async ({ params: { name } }) => {
      const { serving } = existing(await store.findFunction(defaultTenant, name), name);
      const versions: Version[] = await store.versions(defaultTenant, name);
      return { serving: serving.number, versions: versions.map(withHiddenValues) };
    },
  });
}

export function existing(record: FunctionRecord | undefined, name: string): FunctionRecord {
  if (record === undefined) throw notFound(name);
  return record;
}

export const notFound = (name: string): SwiftletError =>
  new SwiftletError('FunctionNotFound', `there is no function "${name}"; GET /v1/functions lists those there are`);
