import type { Readable } from 'node:stream';
import { z } from 'zod';
import { defaultTenant } from '../../model/names.ts';
import { textOf } from '../function-logs.ts';
import type { Api, ApiMeans } from './api.ts';
import { existing } from './functions.ts';
import { flagSchema, nameParams, problems } from './schemas.ts';

const mediaType = 'application/x-ndjson';
/** Text for the document; fastify passes bytes and streams on as they are. */
const recordsSchema = z.custom<Buffer | Readable>().meta({ type: 'string' });
const querySchema = z.object({
  last: z.coerce.number().int().min(0).max(10_000).default(100).describe('Records from the past, at most'),
  follow: flagSchema.describe(
    'Go on with new records as they come, until the caller hangs up; an empty line now and then is a sign of life',
  ),
});

/** A function's log: one JSON record a line. */
export function logs(api: Api, { store, logs: functionLogs }: ApiMeans): void {
  api.get('/v1/functions/:name/logs', {
    schema: {
      summary: 'Read a function’s log',
      params: nameParams,
      querystring: querySchema,
      response: { 200: { description: 'Records, oldest first', content: { [mediaType]: { schema: recordsSchema } } }, ...problems },
    },
    handler: async ({ params: { name }, query: { last, follow } }, reply) => {
      existing(await store.findFunction(defaultTenant, name), name);
      reply.type(mediaType);
      if (!follow) return Buffer.from(textOf(await functionLogs.read(defaultTenant, name, last)));
      const stream = await functionLogs.follow(defaultTenant, name, last);
      // A client that waits for records learns at once that it will get them.
      reply.raw.once('pipe', () => reply.raw.flushHeaders());
      return reply.send(stream);
    },
  });
}
