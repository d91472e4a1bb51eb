import { SwiftletError } from '../../model/errors.ts';
import { nameSchema } from '../../model/names.ts';
import { judge } from '../../model/rights.ts';
import { sourcesViewSchema, type SourceView, sourceViewSchema } from '../../wire/source-calls.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { existing } from './existing.ts';
import { nameParams, problems } from './schemas.ts';

const sourceParams = nameParams.extend({ source: nameSchema.describe('The name of the source') });
/** Servers are asked for their lag. */
const askLimitMs = 5_000;

/** Where messages for functions come from, as the events role has them. */
export function sources(api: Api, { store, roles }: Pick<ApiMeans, 'store' | 'roles'>): void {
  const ask = async (tenant: string, name: string | undefined): Promise<SourceView[]> => {
    const asked = { tenant, ...(name === undefined ? {} : { function: name }) };
    return sourcesViewSchema.parse(await roles.askEvents('sources', asked, askLimitMs)).sources;
  };

  api.get('/v1/sources', {
    config: needs('read', 'some function'),
    schema: {
      summary: 'List the sources of all functions that the caller may see',
      response: { 200: sourcesViewSchema, ...problems },
    },
    handler: async ({ tenant, caller }) => ({
      sources: (await ask(tenant, undefined)).filter(
        ({ function: name }) => judge(caller, 'read', { kind: 'function', tenant, name }) === 'granted',
      ),
    }),
  });

  api.get('/v1/functions/:name/sources', {
    config: needs('read'),
    schema: {
      summary: 'List a function’s sources, with their state',
      description: 'How they are set is in its configuration.',
      params: nameParams,
      response: { 200: sourcesViewSchema, ...problems },
    },
    handler: async ({ params: { name }, tenant }) => {
      existing(await store.findFunction(tenant, name), name);
      return { sources: await ask(tenant, name) };
    },
  });

  api.get('/v1/functions/:name/sources/:source', {
    config: needs('read'),
    schema: { summary: 'Describe a source', params: sourceParams, response: { 200: sourceViewSchema, ...problems } },
    handler: async ({ params: { name, source }, tenant }) => {
      existing(await store.findFunction(tenant, name), name);
      const found = (await ask(tenant, name)).find((one) => one.name === source);
      if (found !== undefined) return found;
      throw new SwiftletError('NotFound', `function "${name}" has no source "${source}"`);
    },
  });

  for (const [what, method, description] of [
    [
      'pause',
      'pauseSource',
      'Nothing more is taken from it, over deploys and restarts, until it is resumed. What is being worked on ends.',
    ],
    ['resume', 'resumeSource', 'It goes on where it was.'],
  ] as const) {
    api.post(`/v1/functions/:name/sources/:source/${what}`, {
      config: needs('steer'),
      schema: {
        summary: what === 'pause' ? 'Pause a source' : 'Resume a source',
        description,
        params: sourceParams,
        response: { 200: sourceViewSchema, ...problems },
      },
      handler: async ({ params: { name, source }, tenant }) => {
        existing(await store.findFunction(tenant, name), name);
        return sourceViewSchema.parse(await roles.askEvents(method, { tenant, function: name, source }, askLimitMs));
      },
    });
  }
}
