import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { nameSchema } from '../../model/names.ts';
import { aliasesViewSchema, aliasSetSchema, aliasViewSchema } from '../../wire/traffic-answers.ts';
import type { TrafficChanged, TrafficDecision } from '../store.ts';
import { aliasesOf, type ChangeFacts, type Pointer, removeAlias, setAlias, type Traffic } from '../traffic.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { notFound } from './existing.ts';
import { nameParams, problems } from './schemas.ts';

/** Whose traffic it is. */
export interface FunctionRef {
  readonly tenant: string;
  readonly function: string;
}

/** How long a change waits for gateways and agents to act on it. */
const placeLimitMs = 5_000;

const aliasParams = nameParams.extend({ alias: nameSchema.describe('The name of the alias') });
const { versions: versionsSchema, sticky: stickySchema } = aliasViewSchema.shape;
const aliasBody = z.strictObject({ versions: versionsSchema, sticky: stickySchema });

/** Changes a function's traffic and waits until it is in force. @throws SwiftletError FunctionNotFound, and what the decision throws */
export async function changeTraffic(
  { store, publisher, now }: Pick<ApiMeans, 'store' | 'publisher' | 'now'>,
  { tenant, function: name }: FunctionRef,
  change: (traffic: Traffic, facts: ChangeFacts) => Traffic,
): Promise<TrafficChanged & { readonly placed: boolean }> {
  const decide: TrafficDecision = (traffic, kept) => change(traffic, { name, kept, nowMs: now() });
  const changed = await store.changeTraffic(tenant, name, decide);
  if (changed === undefined) throw notFound(name);
  return { ...changed, placed: await publisher.placed(changed.revision, placeLimitMs) };
}

/** @throws SwiftletError FunctionNotFound */
export async function trafficOf({ store }: Pick<ApiMeans, 'store'>, { tenant, function: name }: FunctionRef): Promise<Traffic> {
  const traffic = await store.traffic(tenant, name);
  if (traffic === undefined) throw notFound(name);
  return traffic;
}

/** Aliases: names of a function that point to its versions. */
export function aliases(api: Api, means: ApiMeans): void {
  api.get('/v1/functions/:name/aliases', {
    config: needs('read'),
    schema: {
      summary: 'List a function’s aliases',
      description: '`live` first: it is what /<function>/ stands for. All others are at /<function>:<alias>/.',
      params: nameParams,
      response: { 200: aliasesViewSchema, ...problems },
    },
    handler: async ({ params: { name }, tenant }) => ({ aliases: aliasesOf(await trafficOf(means, { tenant, function: name })).map(view) }),
  });

  api.put('/v1/functions/:name/aliases/:alias', {
    config: needs('steer'),
    schema: {
      summary: 'Point an alias to one or several versions',
      description: 'Makes it when there is none of this name. `live` cannot be moved by hand while a rollout moves it.',
      params: aliasParams,
      body: aliasBody,
      response: { 200: aliasSetSchema, ...problems },
    },
    handler: async ({ params: { name, alias }, body: { versions, sticky }, tenant }) => {
      const { traffic, placed } = await changeTraffic(means, { tenant, function: name }, (current, facts) =>
        setAlias(current, alias, versions, sticky, facts),
      );
      const made = aliasesOf(traffic).find(([known]) => known === alias);
      if (made === undefined) throw new SwiftletError('Internal', `the alias "${alias}" was not made`);
      return { ...view(made), placed };
    },
  });

  api.delete('/v1/functions/:name/aliases/:alias', {
    config: needs('steer'),
    schema: {
      summary: 'Remove an alias',
      description: 'Its versions stay. `live` cannot be removed.',
      params: aliasParams,
      response: { 204: z.undefined().describe('It is gone'), ...problems },
    },
    handler: async ({ params: { name, alias }, tenant }, reply) => {
      await changeTraffic(means, { tenant, function: name }, (current, facts) => removeAlias(current, alias, facts));
      return reply.code(204).send();
    },
  });
}

const view = ([name, { versions, sticky, updatedAt }]: [string, Pointer]) => ({ name, versions, sticky, updatedAt });
