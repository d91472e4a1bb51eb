import { z } from 'zod';
import { isolationInForce } from '../../model/isolation.ts';
import { runtimeNames } from '../../model/runtimes.ts';
import { packageVersion } from '../../role/package-version.ts';
import { buildsSchema, type IsolationAnswer, isolationSchema } from '../../wire/agent-calls.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { functionsUrl } from './functions-url.ts';
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
  tenant: z.string().describe('The tenant that the token, or the header x-swiftlet-tenant, stands for'),
  functionsUrl: z.url().describe('Where this tenant’s functions are'),
  runtimes: z.array(z.string()),
  builds: buildsSchema.describe('Whether dependencies can be installed on the platform'),
  gateways: z.array(roleHealthSchema.extend({ number: z.int().min(1) })).describe('Those that serve functions, together at one address'),
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

/** The platform as a whole: what it is. */
export function platform(api: Api, { config, roles }: ApiMeans): void {
  api.get('/v1/platform', {
    config: needs('read', 'anyone'),
    schema: { summary: 'Describe the platform', response: { 200: platformSchema, ...problems } },
    handler: async ({ server, tenant }) => {
      return {
        version: packageVersion,
        gatewayUrl: `http://${config.gateway.host}:${config.gateway.port}`,
        apiUrl: server.listeningOrigin,
        tenant,
        functionsUrl: functionsUrl(config, tenant),
        runtimes: [...runtimeNames],
        builds: (await roles.builds()) ?? { available: false, detail: 'the agent is away' },
        gateways: (await roles.gateways()).map((gateway, index) => ({ number: index + 1, ...gateway })),
        isolation: await isolationOf(roles, config.agent.isolation),
      };
    },
  });
}

async function isolationOf(roles: ApiMeans['roles'], chosen: string): Promise<IsolationAnswer> {
  const report = await roles.isolation();
  return { mode: chosen === 'process' ? chosen : report.mode, facts: isolationInForce(report, chosen) };
}
