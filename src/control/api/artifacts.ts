import { z } from 'zod';
import type { Readable } from 'node:stream';
import { bundleMediaType } from '../../build/bundle.ts';
import { SwiftletError } from '../../model/errors.ts';
import { bundle as limits } from '../../model/limits.ts';
import { upload } from '../upload.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { digestParams, problems } from './schemas.ts';

/** A stream; it is checked while it is read. */
const bodySchema = z.unknown().meta({ type: 'string', format: 'binary' });
const artifactSchema = z.object({ digest: z.string(), size: z.int().describe('Bytes, packed') });

/** Artifacts: bundles by their digest. */
export function artifacts(api: Api, means: ApiMeans): void {
  // Streamed: an artifact is never in memory as a whole.
  api.addContentTypeParser(bundleMediaType, (request, payload, done) => {
    if (Number(request.headers['content-length'] ?? 0) > limits.packedBytes) done(tooLarge());
    else done(null, payload);
  });

  api.route({
    method: 'HEAD',
    url: '/v1/artifacts/:digest',
    config: needs('change', 'some function'),
    schema: {
      summary: 'Whether an artifact is here',
      description: 'One that is here is kept for a quarter of an hour, so that a deploy can refer to it.',
      params: digestParams,
      response: { 200: z.undefined().describe('It is here'), ...problems },
    },
    handler: async ({ params: { digest }, tenant }, reply) => {
      const there = (await means.blobs.has(digest)) && (await means.store.touchArtifact(tenant, digest, means.now()));
      if (!there) throw new SwiftletError('NotFound', `the artifact ${digest} is not here; upload it with PUT`);
      return reply.code(200).send();
    },
  });

  api.route({
    method: 'PUT',
    url: '/v1/artifacts/:digest',
    config: needs('change', 'some function'),
    schema: {
      summary: 'Upload an artifact',
      description: `The body is a bundle: a tar archive in zstd, of type ${bundleMediaType}. It is taken in whole or not at all.`,
      consumes: [bundleMediaType],
      params: digestParams,
      body: bodySchema,
      response: { 200: artifactSchema.describe('It was here already'), 201: artifactSchema.describe('It is here now'), ...problems },
    },
    handler: async ({ params: { digest }, body, raw, tenant }, reply) => {
      if (body === null || typeof body !== 'object' || !('pipe' in body))
        throw new SwiftletError('BadRequest', `send the bundle as ${bundleMediaType}`);
      try {
        const { created, size } = await upload(means, tenant, digest, unowned(body as Readable));
        return await reply.code(created ? 201 : 200).send({ digest, size });
      } catch (error) {
        if (raw.destroyed && !raw.complete)
          throw new SwiftletError('ClientClosedRequest', 'the upload broke off; nothing of it is kept', { cause: error });
        throw error;
      }
    },
  });
}

/** A request that is given up while it comes is not destroyed with its connection: it still gets its answer. */
const unowned = (body: Readable): AsyncIterable<Buffer> => ({ [Symbol.asyncIterator]: () => body.iterator({ destroyOnReturn: false }) });

const tooLarge = (): SwiftletError =>
  new SwiftletError('RequestTooLarge', `a bundle has at most ${limits.packedBytes} bytes; leave out what is not needed`);
