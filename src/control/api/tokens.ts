import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { nameSchema } from '../../model/names.ts';
import { accessRoles, everyTenant } from '../../model/rights.ts';
import { accessKeyIdOf } from '../../model/access-key.ts';
import { tokenIdSchema } from '../../model/token.ts';
import { tokenCreatedSchema, tokenRevokedSchema, tokensViewSchema, type TokenView } from '../../wire/access-answers.ts';
import { mintToken } from '../mint-token.ts';
import type { TokenRecord } from '../token-store.ts';
import type { Api, ApiMeans } from './api.ts';
import { demand, needs } from './authorise.ts';
import { flagSchema, problems } from './schemas.ts';

/** How long a change waits for gateways and agents to act on it. */
const placeLimitMs = 5_000;
const maxKeepMs = 30 * 86_400_000;

const scopeFlag = flagSchema.describe('Tokens of the whole platform instead of the tenant’s');
const tokenBody = z.strictObject({
  name: z.string().min(1).max(100).describe('What it is for'),
  role: z.enum(accessRoles),
  functions: z.array(nameSchema).min(1).max(100).optional().describe('Only these functions; they need not be there yet'),
  expiresAt: z.iso.datetime().optional().describe('Absent: it does not expire'),
  platform: z.boolean().default(false).describe('For all tenants and the platform itself'),
  accessKey: z.boolean().default(false).describe('Whether requests to the Lambda API can be signed with it, as tools for AWS do'),
});
const rotateBody = z.strictObject({
  keepMs: z.int().min(0).max(maxKeepMs).default(0).describe('How long the token before goes on to count'),
});
const idParams = z.object({ id: tokenIdSchema.describe('As the list has it') });

/** Tokens: who may do what, besides whoever has the token of the data folder. */
export function tokens(api: Api, means: ApiMeans): void {
  const { store, publisher, accessKeys, now } = means;
  const mint = { tokens: store.tokens, accessKeys, now };
  const view = ({ id, name, grant, createdAt, createdBy, expiresAt }: TokenRecord): TokenView => ({
    id,
    name,
    ...grant,
    createdAt,
    createdBy,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    expired: expiresAt !== undefined && Date.parse(expiresAt) <= now(),
    ...(accessKeys.has(id) ? { accessKeyId: accessKeyIdOf(id) } : {}),
  });

  api.get('/v1/tokens', {
    config: needs('administer', 'tenant'),
    schema: {
      summary: 'List tokens',
      description: 'Not themselves: what they are for, and until when.',
      querystring: z.object({ platform: scopeFlag }),
      response: { 200: tokensViewSchema, ...problems },
    },
    handler: async ({ query: { platform }, tenant, caller }) => {
      if (platform) demand(caller, 'administer', { kind: 'platform' });
      return { tokens: (await store.tokens.list(platform ? everyTenant : tenant)).map(view) };
    },
  });

  api.post('/v1/tokens', {
    config: needs('administer', 'tenant'),
    schema: {
      summary: 'Make a token',
      description: 'For a tenant, or for some of its functions. The answer is the only place where the token ever is.',
      body: tokenBody,
      response: { 201: tokenCreatedSchema, ...problems },
    },
    handler: async ({ body: { name, role, functions, expiresAt, platform, accessKey }, tenant, caller }, reply) => {
      if (platform) demand(caller, 'administer', { kind: 'platform' });
      if (platform && functions !== undefined)
        throw new SwiftletError('BadRequest', 'functions are of one tenant; leave out "platform"', { place: 'functions' });
      if (expiresAt !== undefined && Date.parse(expiresAt) <= now())
        throw new SwiftletError('BadRequest', 'the token would have expired already', { place: 'expiresAt' });
      const { record, revision, ...shown } = await mintToken(mint, {
        name,
        grant: { role, tenant: platform ? everyTenant : tenant, ...(functions === undefined ? {} : { functions }) },
        createdBy: caller.id,
        expiresAt,
        isAccessKey: accessKey,
      });
      return reply.code(201).send({ ...view(record), ...shown, placed: await publisher.placed(revision, placeLimitMs) });
    },
  });

  api.post('/v1/tokens/:id/rotate', {
    config: needs('administer', 'tenant'),
    schema: {
      summary: 'Make another token in the place of one',
      description: 'With the same name, role and end, and an access key if the one before is one, which ends at once or after a while.',
      params: idParams,
      querystring: z.object({ platform: scopeFlag }),
      body: rotateBody,
      response: { 201: tokenCreatedSchema, ...problems },
    },
    handler: async ({ params: { id }, query: { platform }, body: { keepMs }, tenant, caller }, reply) => {
      if (platform) demand(caller, 'administer', { kind: 'platform' });
      const scope = platform ? everyTenant : tenant;
      const before = (await store.tokens.list(scope)).find((one) => one.id === id);
      if (before === undefined) throw tokenMissing(id);
      const { name, grant, expiresAt } = before;
      const made = await mintToken(mint, { name, grant, createdBy: caller.id, expiresAt, isAccessKey: accessKeys.has(id) });
      const { record, revision, ...shown } = made;
      const ends = new Date(Math.min(now() + keepMs, endOf(before))).toISOString();
      const ended = await (keepMs === 0 ? store.tokens.revoke(scope, id) : store.tokens.expire(scope, id, ends));
      const placed = await publisher.placed(ended?.revision ?? revision, placeLimitMs);
      return reply.code(201).send({ ...view(record), ...shown, placed });
    },
  });

  api.delete('/v1/tokens/:id', {
    config: needs('administer', 'tenant'),
    schema: {
      summary: 'Revoke a token',
      description: 'From when this is answered no role takes it any more; followed logs end.',
      params: idParams,
      querystring: z.object({ platform: scopeFlag }),
      response: { 200: tokenRevokedSchema, ...problems },
    },
    handler: async ({ params: { id }, query: { platform }, tenant, caller }) => {
      if (platform) demand(caller, 'administer', { kind: 'platform' });
      const revoked = await store.tokens.revoke(platform ? everyTenant : tenant, id);
      if (revoked === undefined) throw tokenMissing(id);
      return { ...view(revoked.token), placed: await publisher.placed(revoked.revision, placeLimitMs) };
    },
  });
}

/** In milliseconds since 1970. */
const endOf = ({ expiresAt }: TokenRecord): number => (expiresAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(expiresAt));

const tokenMissing = (id: string): SwiftletError =>
  new SwiftletError('TokenNotFound', `there is no token ${id}; GET /v1/tokens lists those there are`);
