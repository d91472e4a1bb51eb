import { defaultTenant } from '../../model/names.ts';
import { timersSchema } from '../../wire/timer-calls.ts';
import type { Api, ApiMeans } from './api.ts';
import { existing } from './functions.ts';
import { nameParams, problems } from './schemas.ts';

/** A function's timers, as the events role keeps them. */
export function timers(api: Api, { store, roles }: Pick<ApiMeans, 'store' | 'roles'>): void {
  api.get('/v1/functions/:name/timers', {
    schema: {
      summary: 'When a function’s timers run',
      description: 'What they are is in its configuration.',
      params: nameParams,
      response: { 200: timersSchema, ...problems },
    },
    handler: async ({ params: { name } }) => {
      existing(await store.findFunction(defaultTenant, name), name);
      return timersSchema.parse(await roles.askEvents('timers', { tenant: defaultTenant, function: name }));
    },
  });
}
