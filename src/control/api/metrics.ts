/** Figures in Prometheus' text format: all of them for who oversees the platform, a tenant's own for who oversees that. */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { nameSchema } from '../../model/names.ts';
import { otherRoles } from '../roles.ts';
import { metricsOf } from '../tenant-metrics.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { problems } from './schemas.ts';

const answer = { description: 'Prometheus’ text format', content: { 'text/plain': { schema: z.string() } } };
const send = (reply: FastifyReply, text: string) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(text);

export function metrics(api: Api, { metrics: all }: ApiMeans): void {
  api.get('/metrics', {
    config: needs('oversee', 'platform'),
    schema: {
      summary: 'All roles’ figures',
      querystring: z.object({
        role: z
          .enum(['control', ...otherRoles])
          .optional()
          .describe('Only this role’s: the gateway’s part grows with the functions, the others’ are small'),
      }),
      response: { 200: answer, ...problems },
    },
    handler: async ({ query: { role } }, reply) => send(reply, await (role === undefined ? all.everyRole() : all.ofRole(role))),
  });

  api.get('/v1/metrics', {
    config: needs('oversee'),
    schema: {
      summary: 'A tenant’s own figures',
      description: 'What all roles count by tenant and function, as far as it is this tenant’s; none of the platform as a whole.',
      querystring: z.object({ function: nameSchema.optional().describe('Only this function’s') }),
      response: { 200: answer, ...problems },
    },
    handler: async ({ tenant, query: { function: name } }, reply) => send(reply, metricsOf(await all.everyRole(), tenant, name)),
  });
}
