import { functionCallsSchema } from '../../wire/gateway-calls.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { existing } from './existing.ts';
import { nameParams, problems } from './schemas.ts';

/** Functions that call each other, as the gateway counts them. */
export function calls(api: Api, { store, roles }: Pick<ApiMeans, 'store' | 'roles'>): void {
  api.get('/v1/functions/:name/calls', {
    config: needs('read'),
    schema: {
      summary: 'Which functions this one called, and which called it',
      description: 'Counted since the gateway started; `swiftlet_function_calls_total` of the metrics has the same counts.',
      params: nameParams,
      response: { 200: functionCallsSchema, ...problems },
    },
    handler: async ({ params: { name }, tenant }) => {
      existing(await store.findFunction(tenant, name), name);
      return roles.calls(tenant, name);
    },
  });
}
