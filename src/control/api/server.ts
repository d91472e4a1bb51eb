/** The control API, put together. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { retryAfter, SwiftletError, toProblem } from '../../model/errors.ts';
import { aliases } from './aliases.ts';
import type { Api, ApiMeans } from './api.ts';
import { artifacts } from './artifacts.ts';
import { audit } from './audit.ts';
import { beginAudit, endAudit } from './audit-hook.ts';
import { authenticateCallers } from './authenticate.ts';
import { authoriseCallers } from './authorise.ts';
import { builds } from './builds.ts';
import { calls } from './calls.ts';
import { deadLetters, events } from './events.ts';
import { functions } from './functions.ts';
import { traces, usage } from './invocations.ts';
import { isDeeper, maxDepth } from './json-depth.ts';
import { hosts } from './hosts.ts';
import { layers } from './layers.ts';
import { pools } from './pools.ts';
import { logs } from './logs.ts';
import { describeApi } from './openapi.ts';
import { metrics } from './metrics.ts';
import { health, platform } from './platform.ts';
import { foreseen } from './problems.ts';
import { rollouts } from './rollouts.ts';
import { networks } from './networks.ts';
import { methodsOf, type RouteShape } from './route-methods.ts';
import { secrets } from './secrets.ts';
import { security } from './security.ts';
import { problemMediaType } from './schemas.ts';
import { sources } from './sources.ts';
import { tenants } from './tenants.ts';
import { httpRoutes } from './routes.ts';
import { timers } from './timers.ts';
import { tokens } from './tokens.ts';

/** Of JSON; artifacts have their own limit. */
const maxJsonBytes = 1024 * 1024;
const maxPathPart = 8 * 1024;
/** How long a request may take to come in whole, an upload over a slow line among them. */
const requestLimitMs = 15 * 60_000;
/** How long one that was answered before it was in whole may go on. */
const lingerMs = 2_000;

/** Makes the API; it does not listen yet. */
export async function makeApi(means: ApiMeans): Promise<Api> {
  const api = fastify({
    logger: false,
    bodyLimit: maxJsonBytes,
    requestTimeout: requestLimitMs,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: maxPathPart },
    clientErrorHandler: (error, socket) => refuseConnection(error, socket),
  }).withTypeProvider<ZodTypeProvider>();
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);

  limitDepth(api);
  const routes: RouteShape[] = [];
  api.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, url });
  });
  api.addHook('onRequest', (request, reply, done) => {
    reply.header('cache-control', 'no-store').header('x-swiftlet-request-id', request.id);
    done();
  });
  api.addHook('onSend', endAudit(means.audit, means.now, means.unforeseen));
  api.addHook('onResponse', (request, reply, done) => {
    if (!request.raw.complete) endSoon(request.raw);
    means.metrics.request(request.method, request.routeOptions.url ?? 'none', reply.statusCode);
    done();
  });
  api.setErrorHandler((error, request, reply) => {
    const known = foreseen(error, request.body);
    if (known === undefined || known.code === 'Internal') means.unforeseen(error, request.id);
    return sendProblem(reply, request, known);
  });
  api.setNotFoundHandler((request, reply) => {
    const path = request.url.replace(/\?.*/s, '');
    const allowed = methodsOf(routes, path);
    if (allowed.length === 0)
      return sendProblem(reply, request, new SwiftletError('NotFound', 'there is no such path; /docs shows those there are'));
    reply.header('allow', allowed.join(', '));
    return sendProblem(
      reply,
      request,
      new SwiftletError('MethodNotAllowed', `${request.method} is not supported here; ${allowed.join(', ')} is`),
    );
  });

  await describeApi(api);
  health(api, means);
  await api.register((guarded, _options, done) => {
    const state = () => means.publisher.state;
    guarded.addHook('onRequest', authenticateCallers({ credentials: state, identities: means.identities, now: means.now }));
    guarded.addHook('onRequest', authoriseCallers(state));
    guarded.addHook('onRequest', beginAudit(means.audit, means.now));
    for (const resource of [
      artifacts,
      builds,
      functions,
      aliases,
      rollouts,
      logs,
      traces,
      usage,
      events,
      deadLetters,
      timers,
      httpRoutes,
      calls,
      sources,
      tenants,
      tokens,
      secrets,
      networks,
      layers,
      pools,
      audit,
      hosts,
      security,
      metrics,
      platform,
    ])
      resource(guarded.withTypeProvider<ZodTypeProvider>(), means);
    done();
  });
  return api;
}

function limitDepth(api: Api): void {
  const parse = api.getDefaultJsonParser('error', 'error');
  api.removeContentTypeParser('application/json');
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body.toString();
    if (isDeeper(text, maxDepth))
      done(new SwiftletError('BadRequest', `the body's objects and lists are nested more than ${maxDepth} times`));
    else void parse(request, text, done);
  });
}

function sendProblem(reply: FastifyReply, request: FastifyRequest, error: SwiftletError | undefined): FastifyReply {
  const problem = toProblem(error, request.id);
  const again = retryAfter(problem);
  reply.header('x-swiftlet-error', problem.code);
  if (again !== undefined) reply.header('retry-after', again);
  // Written as it is: a route's schemas are about its successes.
  return reply.code(problem.status).type(problemMediaType).serializer(JSON.stringify).send(problem);
}

/**
 * The answer is out, but the rest of the request still comes. It is thrown away for a while, so that the client can read the
 * answer, which a connection that is cut would take from it; then it is cut.
 */
function endSoon(request: IncomingMessage): void {
  request.resume();
  const cut = setTimeout(() => request.socket.destroy(), lingerMs);
  for (const end of ['end', 'close']) request.once(end, () => clearTimeout(cut));
}

/** What came is no HTTP, or its head is too large: there is no request to answer, only a connection. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) return;
  const refused =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new SwiftletError('HeadersTooLarge', 'the head of the request is too large; send less')
      : new SwiftletError('BadRequest', 'what came is not a request of HTTP/1.1');
  const problem = toProblem(refused, randomUUID());
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nx-swiftlet-request-id: ${problem.requestId}\r\nx-swiftlet-error: ${problem.code}\r\n` +
      `content-type: ${problemMediaType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\ncache-control: no-store\r\n\r\n${body}`,
  );
}
