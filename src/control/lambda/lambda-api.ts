/**
 * Lambda's API without its invocations, which gateways carry out: they pass on the rest, as it came, to a socket that only roles can reach. A
 * gateway's word counts for nothing here: the signature is verified once more, with the body.
 */
import { randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { functionReference } from '../../lambda/function-reference.ts';
import { LambdaError, lambdaErrorOf } from '../../lambda/lambda-error.ts';
import { type Claim, type DayKeys, Senders } from '../../lambda/senders.ts';
import { SwiftletError } from '../../model/errors.ts';
import { lambdaRequestBytes } from '../../model/limits.ts';
import { defaultTenant } from '../../model/names.ts';
import { homeTenant, judge, type Right, seesTenant, type Target } from '../../model/rights.ts';
import { beginAudit, endAudit } from '../api/audit-hook.ts';
import type { ApiMeans } from '../api/api.ts';
import { isDeeper, maxDepth } from '../api/json-depth.ts';
import { accountOperations } from './account-settings.ts';
import { aliasOperations } from './aliases.ts';
import { concurrencyOperations } from './concurrency.ts';
import { eventInvokeOperations } from './event-invoke-config.ts';
import { mappingOfArn, mappingOperations } from './event-source-mappings.ts';
import { urlOperations } from './function-urls.ts';
import { functionOperations } from './functions.ts';
import { layerOperations } from './layers.ts';
import { type LambdaOperation, missing, type OperationMeans, textIn } from './operation.ts';
import { permissionOperations } from './permissions.ts';
import { tagOperations } from './tags.ts';
import { versionOperations } from './versions.ts';

export type LambdaApiMeans = OperationMeans & Pick<ApiMeans, 'audit'> & { readonly accessKeys: DayKeys };

declare module 'fastify' {
  interface FastifyRequest {
    /** What its head says of its sender, not yet shown by its body. */
    claim: Claim;
  }
}

const maxPathPart = 8 * 1024;
/** Requests with packages that may be in memory at once. */
const packagesAtOnce = 2;
const smallBytes = 1024 * 1024;

const operations = [
  ...functionOperations,
  ...versionOperations,
  ...aliasOperations,
  ...permissionOperations,
  ...urlOperations,
  ...concurrencyOperations,
  ...eventInvokeOperations,
  ...mappingOperations,
  ...tagOperations,
  ...layerOperations,
  ...accountOperations,
];

/** Makes the API; it does not listen yet. */
export function makeLambdaApi(means: LambdaApiMeans): FastifyInstance {
  const { accessKeys, publisher, now } = means;
  const api = fastify({
    logger: false,
    bodyLimit: lambdaRequestBytes,
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    // A gateway says whose address it is.
    trustProxy: true,
    routerOptions: { maxParamLength: maxPathPart, ignoreTrailingSlash: true },
  });
  const callerOf = (id: string) => {
    const token = publisher.state.tokens.get(id);
    return token !== undefined && now() < token.expiresMs ? token.caller : undefined;
  };
  const senders = new Senders({ keys: accessKeys, callerOf, now });
  // Signed as bytes, and so kept as bytes.
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  api.addHook('onRequest', (request, reply) => {
    reply.header('x-amzn-requestid', request.id).header('cache-control', 'no-store');
    return inTurn(() => (request.claim = senders.claimOf(request.raw)));
  });
  limitPackages(api);
  api.addHook('preHandler', (request) =>
    inTurn(() => {
      request.caller = senders.verify(request.claim, request.raw, bytesOf(request));
      request.tenant = homeTenant(request.caller) ?? defaultTenant;
    }),
  );
  api.addHook('onSend', endAudit(means.audit, now, means.unforeseen));
  api.setErrorHandler((error, request, reply) => {
    const known = knownAs(error);
    if (known === undefined) means.unforeseen(error, request.id);
    return refuse(reply, known ?? new LambdaError('ServiceException', 'The service encountered an internal error.'));
  });
  api.setNotFoundHandler((request, reply) =>
    refuse(reply, new LambdaError('UnknownOperationException', `${request.method} ${request.url.replace(/\?.*/s, '')} is not served here`)),
  );
  for (const operation of operations) serve(api, means, operation);
  return api;
}

function serve(
  api: FastifyInstance,
  means: LambdaApiMeans,
  { method, url, about, right, status, run, showsValues = false }: LambdaOperation,
): void {
  const audit = beginAudit(means.audit, means.now);
  api.route({
    method,
    url,
    handler: async (request, reply) => {
      const body = bodyOf(request);
      const asked = { name: nameOf(request, body), params: request.params, query: request.query, body };
      demandRight(means, request, right, asked.name, about);
      const { tenant, caller, id, claim } = request;
      const seesValues = showsValues && judge(caller, 'change', { kind: 'function', tenant, name: asked.name }) === 'granted';
      request.reveals = seesValues;
      await audit(request);
      const answer = await run(means, { tenant, caller, region: claim.presented.region, requestId: id, seesValues }, asked);
      return reply.code(status).send(answer);
    },
  });
}

/** Packages are in memory whole; who brings one too many is told to come again. */
function limitPackages(api: FastifyInstance): void {
  let open = 0;
  api.addHook('onRequest', (request, reply) =>
    inTurn(() => {
      const length = Number(request.headers['content-length'] ?? 0);
      if (length <= smallBytes && request.headers['transfer-encoding'] === undefined) return;
      if (open >= packagesAtOnce) throw tooManyPackages();
      open += 1;
      reply.raw.once('close', () => (open -= 1));
    }),
  );
}

const tooManyPackages = (): LambdaError =>
  new LambdaError('TooManyRequestsException', 'Too many packages come at once; try again.', { retryAfterSeconds: 1 });

/** What it throws is what the promise rejects with. */
const inTurn = (work: () => unknown): Promise<void> =>
  new Promise((resolve) => {
    work();
    resolve();
  });

/** @throws LambdaError AccessDeniedException, ResourceNotFoundException for what is hidden */
function demandRight(
  { publisher }: LambdaApiMeans,
  { caller, tenant }: FastifyRequest,
  right: Right,
  name: string,
  about?: 'tenant',
): void {
  const isThere = publisher.state.tenants.has(tenant) && seesTenant(caller, tenant);
  const target: Target = name === '' ? { kind: about ?? 'some function', tenant } : { kind: 'function', tenant, name };
  const verdict = isThere ? judge(caller, right, target) : 'hidden';
  if (verdict === 'hidden') throw missing(name);
  if (verdict === 'denied')
    throw new LambdaError(
      'AccessDeniedException',
      `User: ${caller.id} is not authorized: its key has no right to ${right} ${name || 'functions'}`,
    );
}

/** @throws LambdaError ValidationException */
function nameOf({ params, query }: FastifyRequest, body: unknown): string {
  const inPath = textIn(params, 'FunctionName');
  if (inPath !== undefined && mappingOfArn(inPath) !== undefined) return '';
  if (inPath !== undefined) return functionReference(inPath, textIn(query, 'Qualifier')).name;
  const inBody = textIn(body, 'FunctionName');
  return inBody === undefined ? '' : functionReference(inBody, undefined).name;
}

const bytesOf = ({ body }: FastifyRequest): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0));

/** @throws LambdaError InvalidRequestContentException */
function bodyOf(request: FastifyRequest): unknown {
  const text = bytesOf(request).toString();
  if (text === '') return undefined;
  if (isDeeper(text, maxDepth)) throw unreadable(`it is nested more than ${maxDepth} times`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : '', error);
  }
}

const unreadable = (why: string, cause?: unknown): LambdaError =>
  new LambdaError('InvalidRequestContentException', `Could not parse request body into json: ${why}`, cause === undefined ? {} : { cause });

function knownAs(error: unknown): LambdaError | undefined {
  if (error instanceof LambdaError) return error;
  if (error instanceof SwiftletError) return error.code === 'Internal' ? undefined : lambdaErrorOf(error);
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  if (error.statusCode === 413) return new LambdaError('RequestTooLargeException', `A request has at most ${lambdaRequestBytes} bytes.`);
  return Number(error.statusCode) < 500 ? new LambdaError('ValidationException', error.message, { cause: error }) : undefined;
}

function refuse(reply: FastifyReply, { type, status, body, retryAfterSeconds }: LambdaError): FastifyReply {
  reply.header('x-amzn-errortype', type);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
  return reply.code(status).type('application/json').send(body);
}
