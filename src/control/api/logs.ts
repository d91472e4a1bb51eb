import type { Readable } from 'node:stream';
import { z } from 'zod';
import { textOf } from '../function-logs.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { existing } from './existing.ts';
import { flagSchema, nameParams, problems } from './schemas.ts';

const mediaType = 'application/x-ndjson';
/** Text for the document; fastify passes bytes and streams on as they are. */
const recordsSchema = z.custom<Buffer | Readable>().meta({ type: 'string' });
/** A token that is revoked, or expires, follows nothing any more after so long. */
const knownCheckMs = 500;
const querySchema = z.object({
  last: z.coerce.number().int().min(0).max(10_000).default(100).describe('Records from the past, at most'),
  follow: flagSchema.describe(
    'Go on with new records as they come, until the caller hangs up; an empty line now and then is a sign of life',
  ),
});

/** A function's log: one JSON record a line. */
export function logs(api: Api, { store, logs: functionLogs }: ApiMeans): void {
  api.get('/v1/functions/:name/logs', {
    config: needs('read'),
    schema: {
      summary: 'Read a function’s log',
      params: nameParams,
      querystring: querySchema,
      response: { 200: { description: 'Records, oldest first', content: { [mediaType]: { schema: recordsSchema } } }, ...problems },
    },
    handler: async ({ params: { name }, query: { last, follow }, tenant, isStillKnown }, reply) => {
      existing(await store.findFunction(tenant, name), name);
      reply.type(mediaType);
      if (!follow) return Buffer.from(textOf(await functionLogs.read(tenant, name, last)));
      const stream = await functionLogs.follow(tenant, name, last);
      const look = setInterval(() => isStillKnown() || stream.destroy(), knownCheckMs);
      stream.once('close', () => clearInterval(look));
      // A client that waits for records learns at once that it will get them.
      reply.raw.once('pipe', () => reply.raw.flushHeaders());
      return reply.send(stream);
    },
  });
}
