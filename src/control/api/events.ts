import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { nameSchema } from '../../model/names.ts';
import { type Caller, judge } from '../../model/rights.ts';
import {
  deadLetterPageSchema,
  deadLetterSchema,
  eventIdSchema,
  eventSchema,
  type EventView,
  selectedSchema,
  type Selection,
  selectionSchema,
} from '../../wire/event-calls.ts';
import type { Api, ApiMeans } from './api.ts';
import { demand, needs } from './authorise.ts';
import { problems } from './schemas.ts';

/** To work through many dead letters takes its time. */
const selectionLimitMs = 30_000;
const idParams = z.object({ id: eventIdSchema.describe('As the 202 had it') });
const pageSchema = z.object({
  function: nameSchema.optional().describe('Only those of this function'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('Dead letters at most'),
  after: z.string().max(64).optional().describe('Only those after this id: the `next` of the page before'),
});

interface Selecting {
  readonly body: Selection;
  readonly tenant: string;
  readonly caller: Caller;
}

/** Whose function an event is of is known once it is read. @throws SwiftletError EventNotFound, Forbidden */
function demandEvent(caller: Caller, tenant: string, { id, function: name }: EventView): void {
  const verdict = judge(caller, 'read', { kind: 'function', tenant, name });
  if (verdict !== 'granted')
    throw new SwiftletError('EventNotFound', `there is no event ${id}; those that ended well are forgotten after a day`);
}

/** Events that nobody waits for, as the event log knows them. */
export function events(api: Api, { roles }: Pick<ApiMeans, 'roles'>): void {
  api.get('/v1/events/:id', {
    config: needs('read', 'some function'),
    schema: {
      summary: 'Describe an event',
      description: 'What became of a request with `Prefer: respond-async`. Events that ended well are forgotten after a day.',
      params: idParams,
      response: { 200: eventSchema, ...problems },
    },
    handler: async ({ params: { id }, tenant, caller }) => {
      const event = eventSchema.parse(await roles.askEvents('event', { tenant, id }));
      demandEvent(caller, tenant, event);
      return event;
    },
  });
}

/** Events that no attempt could deal with. */
export function deadLetters(api: Api, { roles }: Pick<ApiMeans, 'roles'>): void {
  const change = async (method: 'redrive' | 'purge', { body: selection, tenant, caller }: Selecting) => {
    if ('function' in selection) demand(caller, 'steer', { kind: 'function', tenant, name: selection.function });
    else demand(caller, 'steer', { kind: 'tenant', tenant });
    return selectedSchema.parse(await roles.askEvents(method, { tenant, selection }, selectionLimitMs));
  };

  api.get('/v1/dead-letters', {
    config: needs('read'),
    schema: {
      summary: 'List dead letters',
      description: 'Oldest first.',
      querystring: pageSchema,
      response: { 200: deadLetterPageSchema, ...problems },
    },
    handler: async ({ query, tenant }) => deadLetterPageSchema.parse(await roles.askEvents('deadLetters', { tenant, ...query })),
  });

  api.get('/v1/dead-letters/:id', {
    config: needs('read', 'some function'),
    schema: {
      summary: 'Describe a dead letter, with what was sent',
      params: idParams,
      response: { 200: deadLetterSchema, ...problems },
    },
    handler: async ({ params: { id }, tenant, caller }) => {
      const letter = deadLetterSchema.parse(await roles.askEvents('deadLetter', { tenant, id }));
      demandEvent(caller, tenant, letter.event);
      return letter;
    },
  });

  api.post('/v1/dead-letters/redrive', {
    config: needs('steer', 'some function'),
    schema: {
      summary: 'Deliver dead letters anew',
      description: 'As if they had been sent now, with the ids they have. `more` says that the same call would find others.',
      body: selectionSchema,
      response: { 200: selectedSchema, ...problems },
    },
    handler: (request) => change('redrive', request),
  });

  api.post('/v1/dead-letters/purge', {
    config: needs('steer', 'some function'),
    schema: {
      summary: 'Remove dead letters for ever',
      description: '`more` says that the same call would find others.',
      body: selectionSchema,
      response: { 200: selectedSchema, ...problems },
    },
    handler: (request) => change('purge', request),
  });
}
