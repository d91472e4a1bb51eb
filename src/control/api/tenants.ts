import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { defaultTenant, nameSchema } from '../../model/names.ts';
import { seesTenant } from '../../model/rights.ts';
import { tenantSettingsSchema } from '../../model/tenant.ts';
import { tenantDescribedSchema, tenantSetSchema, tenantsViewSchema } from '../../wire/access-answers.ts';
import { gbSecondsOn } from '../invocations.ts';
import { tenantMissing } from '../tenant-missing.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { conditionHeaders } from './conditions.ts';
import { functionsUrl } from './functions-url.ts';
import { problems } from './schemas.ts';

const placeLimitMs = 5_000;

const tenantParams = z.object({ tenant: nameSchema.describe('The name of the tenant') });
const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('Tenants at most'),
  after: nameSchema.optional().describe('Only tenants whose name comes after this one: the `next` of the page before'),
});

/** Tenants: those who share the platform, each with its own functions, tokens and quotas. */
export function tenants(api: Api, means: ApiMeans): void {
  const { store, publisher, now, config, logs } = means;
  const timeNow = () => new Date(now()).toISOString();
  const urlOf = (tenant: string) => functionsUrl(config, tenant);

  api.get('/v1/tenants', {
    config: needs('read', 'anyone'),
    schema: {
      summary: 'List tenants',
      description: 'Those that the token has anything to do with.',
      querystring: pageSchema,
      response: { 200: tenantsViewSchema, ...problems },
    },
    handler: async ({ query: { limit, after }, caller }) => {
      const found = await store.tenants.list({ limit: limit + 1, ...(after === undefined ? {} : { after }) });
      const page = found.slice(0, limit);
      const next = found.length > limit ? page.at(-1)?.name : undefined;
      const seen = page.filter(({ name }) => seesTenant(caller, name));
      return { tenants: seen.map((tenant) => ({ ...tenant, functionsUrl: urlOf(tenant.name) })), ...(next === undefined ? {} : { next }) };
    },
  });

  api.get('/v1/tenants/:tenant', {
    config: needs('read', 'tenant'),
    schema: {
      summary: 'Describe a tenant',
      description: 'Its quotas, and what it has of them.',
      params: tenantParams,
      response: { 200: tenantDescribedSchema, ...problems },
    },
    handler: async ({ tenant: name }) => {
      const tenant = await store.tenants.find(name);
      if (tenant === undefined) throw tenantMissing(name);
      const today = timeNow().slice(0, 'yyyy-mm-dd'.length);
      const [stored, gbSecondsToday] = await Promise.all([store.tenants.use(name), gbSecondsOn(logs.relay, name, today).catch(whenAway)]);
      return { ...tenant, functionsUrl: urlOf(name), use: { ...stored, ...(gbSecondsToday === undefined ? {} : { gbSecondsToday }) } };
    },
  });

  api.put('/v1/tenants/:tenant', {
    config: needs('administer', 'platform'),
    schema: {
      summary: 'Make a tenant, or change one',
      description: 'All of its settings: what is left out is as for a new one. With `If-None-Match: *` it must not be there yet.',
      params: tenantParams,
      headers: conditionHeaders.pick({ 'if-none-match': true }),
      body: tenantSettingsSchema,
      response: { 200: tenantSetSchema.describe('Changed'), 201: tenantSetSchema.describe('It is new'), ...problems },
    },
    handler: async ({ params: { tenant: name }, headers, body }, reply) => {
      // Only the first tenant's functions may be open to all without a word of anybody: a newcomer's, on his own machine.
      const settings = name === defaultTenant || body.urls !== undefined ? body : { ...body, urls: 'token' as const };
      const set = await store.tenants.set(name, settings, timeNow(), headers['if-none-match'] !== undefined);
      if (set.kind === 'exists') throw new SwiftletError('PreconditionFailed', `there is a tenant "${name}" already`);
      const placed = await publisher.placed(set.revision, placeLimitMs);
      return reply.code(set.kind === 'created' ? 201 : 200).send({ ...set.tenant, functionsUrl: urlOf(name), placed });
    },
  });

  api.delete('/v1/tenants/:tenant', {
    config: needs('administer', 'platform'),
    schema: {
      summary: 'Remove a tenant',
      description: 'With its tokens and artifacts. It must have no functions any more. Its name is not given again.',
      params: tenantParams,
      response: { 204: z.undefined().describe('It is gone'), ...problems },
    },
    handler: async ({ params: { tenant: name } }, reply) => {
      if (name === defaultTenant) throw new SwiftletError('Conflict', `the tenant "${defaultTenant}" is always there`);
      const removed = await store.tenants.remove(name, timeNow());
      if (removed === undefined) throw tenantMissing(name);
      if (removed.kind === 'in use')
        throw new SwiftletError(
          'Conflict',
          `tenant "${name}" has ${removed.functions} functions; remove them first, and see "swiftlet list --tenant ${name}"`,
        );
      // Its name is not given again: what is left of it would be nobody's.
      await means.builds.forget(name);
      await publisher.placed(removed.revision, placeLimitMs);
      return reply.code(204).send();
    },
  });
}

function whenAway(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'Unavailable')) throw error;
}
