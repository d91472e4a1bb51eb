import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { digestSchema, functionConfigSchema, type Version, versionSchema } from '../../model/function.ts';
import { nameSchema } from '../../model/names.ts';
import { judge } from '../../model/rights.ts';
import { rolloutPlanSchema } from '../../model/rollout.ts';
import { secretNames } from '../../model/secret.ts';
import { type CallerKind, callerKinds, type UrlRule } from '../../model/tenant.ts';
import type { PublishedState } from '../../wire/published-state.ts';
import { isOpenToAll, ruleOf } from '../../wire/open-to-all.ts';
import { deploy } from '../deploy.ts';
import type { FunctionRecord } from '../store.ts';
import type { Api, ApiMeans } from './api.ts';
import { demand, needs } from './authorise.ts';
import { conditionHeaders, conditionOf, entityTag } from './conditions.ts';
import { existing, notFound } from './existing.ts';
import { sizeAdvice } from '../sizes/advise-size.ts';
import { functionsUrl } from './functions-url.ts';
import { sizeAdviceSchema } from '../../model/size.ts';
import { bundleStateSchema } from '../../wire/agent-calls.ts';
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
  bundle: bundleStateSchema.optional().describe('Whether its code starts as one file'),
  sizeAdvice: sizeAdviceSchema.optional(),
  callers: z
    .enum(callerKinds)
    .describe(
      'Who may call its address: anyone, whoever has a token with the right to invoke it, or whoever shows what its configuration says',
    ),
  serving: z.int().describe('The version that serves now: another one while this is being rolled out'),
  lacks: z
    .string()
    .optional()
    .describe('Why it lacks a built-in layer that its code counts on; it is made all the same, and its code may do without'),
});

/** Functions: made and changed by deploying a version. */
export function functions(api: Api, means: ApiMeans): void {
  const { store, roles, logs, metrics, config } = means;
  const summary = ({ tenant, name, createdAt, serving }: FunctionRecord) => ({
    name,
    url: `${functionsUrl(config, tenant)}/${name}`,
    createdAt,
    serving: withHiddenValues(serving),
  });

  api.get('/v1/functions', {
    config: needs('read', 'some function'),
    schema: { summary: 'List functions', querystring: pageSchema, response: { 200: listSchema, ...problems } },
    handler: async ({ query: { limit, after }, tenant, caller }) => {
      const found = await store.functions(tenant, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      const page = found.slice(0, limit);
      const next = found.length > limit ? page.at(-1)?.name : undefined;
      const seen = page.filter(({ name }) => judge(caller, 'read', { kind: 'function', tenant, name }) === 'granted');
      return { functions: seen.map(summary), ...(next === undefined ? {} : { next }) };
    },
  });

  api.get('/v1/functions/:name', {
    config: needs('read'),
    schema: {
      summary: 'Describe a function',
      params: nameParams,
      querystring: z.object({ reveal: flagSchema.describe('Show the values of the environment, too: who may change it may see them') }),
      response: { 200: functionSchema, ...problems },
    },
    handler: async ({ params: { name }, query: { reveal }, tenant, caller }, reply) => {
      if (reveal) demand(caller, 'change', { kind: 'function', tenant, name });
      const record = existing(await store.findFunction(tenant, name), name);
      const [running, statuses, networkCounts, { state: bundle, reached }] = await Promise.all([
        roles.instances(),
        roles.provisioned(),
        roles.networkCounts(tenant, name),
        roles.bundle(tenant, name, record.serving.number),
      ]);
      const advice = await sizeAdvice(store.sizes, record.serving, reached);
      const provisioned = statuses.find((status) => status.tenant === tenant && status.function === name);
      const instances = (running ?? []).filter((instance) => instance.tenant === tenant && instance.function === name);
      reply.header('etag', entityTag(record.serving.number));
      return {
        ...summary(record),
        ...(reveal ? { serving: record.serving } : {}),
        instances,
        instancesKnown: running !== undefined,
        scaling: means.autoscaler.viewsOf(tenant, name),
        ...(provisioned === undefined ? {} : { provisioned }),
        ...(networkCounts === undefined ? {} : { networkCounts }),
        ...(bundle === undefined ? {} : { bundle }),
        ...(advice === undefined ? {} : { sizeAdvice: advice }),
      };
    },
  });

  api.put('/v1/functions/:name', {
    config: needs('change'),
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
    handler: async ({ params: { name }, headers, body: { digest, config: wanted, rollout }, tenant, caller }, reply) => {
      const expected = conditionOf(headers);
      // Who has a right to this function only gets no secret by it that it did not have.
      const known = (await store.findFunction(tenant, name))?.serving.config.secrets ?? {};
      if (!isSubset(secretNames(wanted.secrets), secretNames(known))) demand(caller, 'change', { kind: 'tenant', tenant });
      const deployment = { tenant, function: name, digest, config: wanted, createdAt: new Date(means.now()).toISOString() };
      try {
        const { version, created, isFirst, placed, serving, lacks } = await deploy(means, {
          ...deployment,
          ...(expected === undefined ? {} : { expected }),
          ...(rollout === undefined ? {} : { plan: rollout }),
        });
        metrics.deploy(deployment.tenant, created ? 'created' : 'unchanged');
        reply.code(isFirst ? 201 : 200).header('etag', entityTag(serving));
        const callers = callersOf(means.publisher.state, version, config.gateway.urls);
        const { state: bundle, reached } = await roles.bundle(tenant, name, version.number);
        const advice = await sizeAdvice(store.sizes, version, reached);
        return {
          version: withHiddenValues(version),
          created,
          placed,
          callers,
          serving,
          ...(bundle === undefined ? {} : { bundle }),
          ...(advice === undefined ? {} : { sizeAdvice: advice }),
          ...(lacks === undefined ? {} : { lacks }),
        };
      } catch (error) {
        metrics.deploy(deployment.tenant, error instanceof SwiftletError ? error.code : 'Internal');
        throw error;
      }
    },
  });

  api.delete('/v1/functions/:name', {
    config: needs('change'),
    schema: {
      summary: 'Remove a function',
      description: 'With all its versions and its logs. Requests in flight may finish.',
      params: nameParams,
      response: { 204: z.undefined().describe('It is gone'), ...problems },
    },
    handler: async ({ params: { name }, id, tenant }, reply) => {
      const revision = await store.remove(tenant, name);
      if (revision === undefined) throw notFound(name);
      // The function is gone whatever becomes of its log.
      logs.forget(tenant, name).catch((error: unknown) => means.unforeseen(error, id));
      return reply.code(204).send();
    },
  });

  api.get('/v1/functions/:name/versions', {
    config: needs('read'),
    schema: {
      summary: 'List a function’s versions',
      description: 'Newest first. Old ones are dropped; their numbers are never given again.',
      params: nameParams,
      response: { 200: z.object({ serving: z.int(), versions: z.array(versionSchema) }), ...problems },
    },
    handler: async ({ params: { name }, tenant }) => {
      const { serving } = existing(await store.findFunction(tenant, name), name);
      const versions: Version[] = await store.versions(tenant, name);
      return { serving: serving.number, versions: versions.map(withHiddenValues) };
    },
  });
}

function callersOf(state: PublishedState, version: Version, ofPlatform: UrlRule): CallerKind {
  if (isOpenToAll(state, version, ofPlatform)) return 'public';
  const rule = ruleOf(state, version, ofPlatform);
  return typeof rule === 'string' ? 'token' : rule.kind;
}

const isSubset = (some: readonly string[], all: readonly string[]): boolean => some.every((one) => all.includes(one));
