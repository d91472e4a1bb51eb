import { z } from 'zod';
import { defaultTenant, nameSchema } from '../../model/names.ts';
import {
  deadLetterPageSchema,
  deadLetterSchema,
  eventIdSchema,
  eventSchema,
  selectedSchema,
  type Selection,
  selectionSchema,
} from '../../wire/event-calls.ts';
import type { Api, ApiMeans } from './api.ts';
import { problems } from './schemas.ts';

/** To work through many dead letters takes its time. */
const selectionLimitMs = 30_000;
const idParams = z.object({ id: eventIdSchema.describe('As the 202 had it') });
const pageSchema = z.object({
  function: nameSchema.optional().describe('Only those of this function'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('Dead letters at most'),
  after: z.string().max(64).optional().describe('Only those after this id: the `next` of the page before'),
});

/** Events that nobody waits for, as the event log knows them. */
export function events(api: Api, { roles }: Pick<ApiMeans, 'roles'>): void {
  api.get('/v1/events/:id', {
    schema: {
      summary: 'Describe an event',
      description: 'What became of a request with `Prefer: respond-async`. Events that ended well are forgotten after a day.',
      params: idParams,
      response: { 200: eventSchema, ...problems },
    },
    handler: async ({ params: { id } }) => eventSchema.parse(await roles.askEvents('event', { tenant: defaultTenant, id })),
  });
}

/** Events that no attempt could deal with. */
export function deadLetters(api: Api, { roles }: Pick<ApiMeans, 'roles'>): void {
  const change = async (method: 'redrive' | 'purge', selection: Selection) =>
    selectedSchema.parse(await roles.askEvents(method, { tenant: defaultTenant, selection }, selectionLimitMs));

  api.get('/v1/dead-letters', {
    schema: {
      summary: 'List dead letters',
      description: 'Oldest first.',
      querystring: pageSchema,
      response: { 200: deadLetterPageSchema, ...problems },
    },
    handler: async ({ query }) => deadLetterPageSchema.parse(await roles.askEvents('deadLetters', { tenant: defaultTenant, ...query })),
  });

  api.get('/v1/dead-letters/:id', {
    schema: {
      summary: 'Describe a dead letter, with what was sent',
      params: idParams,
      response: { 200: deadLetterSchema, ...problems },
    },
    handler: async ({ params: { id } }) => deadLetterSchema.parse(await roles.askEvents('deadLetter', { tenant: defaultTenant, id })),
  });

  api.post('/v1/dead-letters/redrive', {
    schema: {
      summary: 'Deliver dead letters anew',
      description: 'As if they had been sent now, with the ids they have. `more` says that the same call would find others.',
      body: selectionSchema,
      response: { 200: selectedSchema, ...problems },
    },
    handler: ({ body }) => change('redrive', body),
  });

  api.post('/v1/dead-letters/purge', {
    schema: {
      summary: 'Remove dead letters for ever',
      description: '`more` says that the same call would find others.',
      body: selectionSchema,
      response: { 200: selectedSchema, ...problems },
    },
    handler: ({ body }) => change('purge', body),
  });
}
