import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { nameSchema } from '../../model/names.ts';
import { pemOf } from '../../role/certificates/material.ts';
import { hostCertificateSchema } from '../../wire/host-answers.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

/** Until then it has to be carried to its host and used; there it is renewed before it ends. */
const lifeMs = 86_400_000;

/** Other hosts of the platform. */
export function hosts(api: Api, { hosts: { authority } }: ApiMeans): void {
  api.post('/v1/hosts/:name/certificate', {
    config: needs('administer', 'platform'),
    schema: {
      summary: 'Let another host in',
      description:
        'A private key and its certificate, with which the host’s supervisor gets and renews certificates for its roles. The answer is the only place where the key ever is.',
      params: z.object({ name: nameSchema.describe('What the host is called in lists and logs') }),
      response: { 201: hostCertificateSchema, ...problems },
    },
    handler: async ({ params: { name } }, reply) => {
      if (authority === undefined)
        throw new SwiftletError(
          'Conflict',
          'this platform makes no certificates: it is on one host, or they are given; SWIFTLET_SERVES and SWIFTLET_CERTIFICATES say so',
        );
      const made = await authority.make({ role: 'host', host: name, lifeMs });
      return reply.code(201).send({ name, pem: pemOf(made), endsAt: new Date(made.shown.untilMs).toISOString() });
    },
  });
}
