import { timersSchema } from '../../wire/timer-calls.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { existing } from './existing.ts';
import { nameParams, problems } from './schemas.ts';

/** A function's timers, as the events role keeps them. */
export function timers(api: Api, { store, roles }: Pick<ApiMeans, 'store' | 'roles'>): void {
  api.get('/v1/functions/:name/timers', {
    config: needs('read'),
    schema: {
      summary: 'When a function’s timers run',
      description: 'What they are is in its configuration.',
      params: nameParams,
      response: { 200: timersSchema, ...problems },
    },
    handler: async ({ params: { name }, tenant }) => {
      existing(await store.findFunction(tenant, name), name);
      return timersSchema.parse(await roles.askEvents('timers', { tenant, function: name }));
    },
  });
}
