import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { z } from 'zod';
import { type BuildRecord, buildRequestSchema } from '../../model/build.ts';
import { SwiftletError, toProblem } from '../../model/errors.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

const mediaType = 'application/x-ndjson';
/** Text for the document; fastify passes streams on as they are. */
const recordsSchema = z.custom<Readable>().meta({ type: 'string' });
const signOfLifeMs = 10_000;

/** Builds: dependencies installed on the platform, in a sandbox of the target runtime. */
export function builds(api: Api, { builds: platformBuilds, metrics, unforeseen }: ApiMeans): void {
  api.post('/v1/builds', {
    config: needs('change', 'some function'),
    schema: {
      summary: 'Build an artifact',
      description:
        'Installs the dependencies of an uploaded artifact and makes an artifact of both. The answer comes while it is built: a record a line, `{"log": …}` or, as the last, `{"built": { digest, size, cached }}` or `{"failed": { code, detail, requestId }}`. An empty line now and then is a sign of life. Hanging up ends the build, and nothing of it is kept.',
      body: buildRequestSchema,
      response: { 200: { description: 'Records as they come', content: { [mediaType]: { schema: recordsSchema } } }, ...problems },
    },
    handler: async ({ body, tenant, id }, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () =>
        gone.abort(new SwiftletError('ClientClosedRequest', 'the caller hung up; nothing of the build is kept')),
      );
      const records = platformBuilds.run({ ...body, tenant }, gone.signal);
      const failed = (error: unknown): BuildRecord => {
        const { code, detail, requestId } = toProblem(error, id);
        metrics.build(tenant, code);
        if (code === 'Internal') unforeseen(error, id);
        return { failed: { code, detail, requestId } };
      };
      const first = await records.next().catch((error: unknown) => {
        metrics.build(tenant, error instanceof SwiftletError ? error.code : 'Internal');
        throw error;
      });
      const stream = new PassThrough();
      const write = writerOf(stream);
      const pass = async () => {
        for (let next = first; next.done !== true; next = await records.next()) {
          if ('built' in next.value) metrics.build(tenant, next.value.built.cached ? 'cached' : 'installed');
          await write(next.value);
        }
      };
      const life = setInterval(() => stream.write('\n'), signOfLifeMs);
      void pass()
        .catch((error: unknown) => write(failed(error)))
        .catch(() => undefined)
        .finally(() => {
          clearInterval(life);
          stream.end();
        });
      return reply.type(mediaType).send(stream);
    },
  });
}

/** @returns what writes a record, and resolves when there is room for more, or nobody reads any more */
function writerOf(stream: PassThrough): (record: BuildRecord) => Promise<void> {
  const closed = once(stream, 'close').catch(() => undefined);
  return async (record) => {
    if (!stream.write(`${JSON.stringify(record)}\n`)) await Promise.race([once(stream, 'drain'), closed]);
  };
}
