import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import { packageVersion } from '../../role/package-version.ts';

/** Makes the OpenAPI document of the routes that are added afterwards, and serves it, also to browse. */
export async function describeApi(api: FastifyInstance): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Swiftlet control API',
        version: packageVersion,
        description:
          'Functions, their versions, aliases and rollouts, artifacts, their logs, traces and usage, stored events, and the platform itself. Errors are problem details (RFC 9457).',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description:
              'Of POST /v1/tokens, or what is in the file "token" of the data folder. `x-swiftlet-right` of a route is the right that it needs.',
          },
        },
      },
      security: [{ token: [] }],
    },
    transform: (described) => {
      const needed = described.route.config?.needs;
      const rights = needed === undefined ? {} : { 'x-swiftlet-right': needed.right, 'x-swiftlet-scope': needed.scope };
      return jsonSchemaTransform({ ...described, schema: { tags: [tagOf(described.url)], ...rights, ...described.schema } });
    },
    exposeHeadRoutes: true,
  });
  await api.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Swiftlet control API' },
    // Without the bar above, which asks for the address of another document.
    uiConfig: { layout: 'BaseLayout' },
  });
  api.get('/openapi.json', { schema: { hide: true } }, () => api.swagger());
}

/** The document's chapters are the kinds of resources. */
const tagOf = (url: string): string => /^\/v1\/(\w+)/.exec(url)?.[1] ?? 'platform';
