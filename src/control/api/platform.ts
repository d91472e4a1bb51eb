import { z } from 'zod';
import { isolationInForce } from '../../model/isolation.ts';
import { runtimeNames } from '../../model/runtimes.ts';
import { packageVersion } from '../../role/package-version.ts';
import { type IsolationAnswer, isolationSchema } from '../../wire/agent-calls.ts';
import { otherRoles } from '../roles.ts';
import type { Api, ApiMeans } from './api.ts';
import { problems } from './schemas.ts';

const roleHealthSchema = z.object({ ready: z.boolean(), detail: z.string() });
const rolesSchema = z.object({
  control: roleHealthSchema,
  gateway: roleHealthSchema,
  agent: roleHealthSchema,
  relay: roleHealthSchema,
  events: roleHealthSchema,
});
const healthSchema = z.object({ status: z.enum(['ok', 'unavailable']), roles: rolesSchema });
const platformSchema = z.object({
  version: z.string(),
  gatewayUrl: z.url(),
  apiUrl: z.url(),
  runtimes: z.array(z.string()),
  isolation: isolationSchema.describe('What keeps functions apart from each other and from the host, in force now'),
});

/** The platform as a whole: whether it can serve. No token is needed. */
export function health(api: Api, { roles }: Pick<ApiMeans, 'roles'>): void {
  api.get('/healthz', {
    schema: {
      summary: 'Whether all roles can serve',
      security: [],
      response: { 200: healthSchema.describe('All can'), 503: healthSchema.describe('Those that are not ready cannot') },
    },
    handler: async (_request, reply) => {
      const others = await roles.health();
      const ready = Object.values(others).every((role) => role.ready);
      reply.code(ready ? 200 : 503);
      return {
        status: ready ? ('ok' as const) : ('unavailable' as const),
        roles: { control: { ready: true, detail: 'answers' }, ...others },
      };
    },
  });
}

/** The platform as a whole: what it is, and its figures. */
export function platform(api: Api, { config, roles, metrics }: ApiMeans): void {
  api.get('/v1/platform', {
    schema: { summary: 'Describe the platform', response: { 200: platformSchema, ...problems } },
    handler: async ({ server }) => {
      return {
        version: packageVersion,
        gatewayUrl: `http://${config.gateway.host}:${config.gateway.port}`,
        apiUrl: server.listeningOrigin,
        runtimes: [...runtimeNames],
        isolation: await isolationOf(roles, config.agent.isolation),
      };
    },
  });

  api.get('/metrics', {
    schema: {
      summary: 'All roles’ figures',
      querystring: z.object({
        role: z
          .enum(['control', ...otherRoles])
          .optional()
          .describe('Only this role’s: the gateway’s part grows with the functions, the others’ are small'),
      }),
      response: { 200: { description: 'Prometheus’ text format', content: { 'text/plain': { schema: z.string() } } }, ...problems },
    },
    handler: async ({ query: { role } }, reply) => {
      const text = await (role === undefined ? metrics.everyRole() : metrics.ofRole(role));
      return reply.type('text/plain; version=0.0.4; charset=utf-8').send(text);
    },
  });
}

async function isolationOf(roles: ApiMeans['roles'], chosen: string): Promise<IsolationAnswer> {
  const report = await roles.isolation();
  return { mode: chosen === 'process' ? chosen : report.mode, facts: isolationInForce(report, chosen) };
}
