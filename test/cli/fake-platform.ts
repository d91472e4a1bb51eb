/** A control API and a gateway as the CLI sees them: they keep what is deployed, answer as told, and remember what they were asked. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { bundleMediaType } from '../../src/build/bundle.ts';
import { type ErrorCode, SwiftletError, toProblem } from '../../src/model/errors.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';
import { allTo, shareOf } from '../../src/model/traffic.ts';

export const fakeToken = 'a-token';
export const fakeRequestId = '0196b0f2-aaaa-7bbb-8ccc-000000000001';

export interface FakePlatform extends AsyncDisposable {
  readonly url: string;
  /** Like `PUT /v1/functions/hello`. */
  readonly asked: readonly string[];
  /** What the next request of this kind gets instead. */
  readonly answer: (request: string, reply: (response: ServerResponse) => void) => void;
}

interface Means {
  readonly url: string;
  readonly functions: Map<string, Version[]>;
  readonly artifacts: Map<string, number>;
}

type Route = (means: Means, name: string, request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

export async function startFakePlatform(): Promise<FakePlatform> {
  const asked: string[] = [];
  const answers = new Map<string, (response: ServerResponse) => void>();
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const name = `${request.method ?? ''} ${path}`;
    asked.push(name);
    const answer = answers.get(name);
    answers.delete(name);
    if (answer === undefined) void serve(means, request, path, response);
    else answer(response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const means: Means = { url, functions: new Map(), artifacts: new Map() };
  return {
    url,
    asked,
    answer: (request, reply) => answers.set(request, reply),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

export function sendProblem(response: ServerResponse, code: ErrorCode, detail: string): void {
  const problem = toProblem(new SwiftletError(code, detail), fakeRequestId);
  response.writeHead(problem.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
}

export function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

const fakeAliases = [
  { name: 'live', versions: shareOf(4, 5, 3), sticky: { cookie: 'session' }, updatedAt: '2026-01-01T00:00:00.000Z' },
  { name: 'beta', versions: allTo(4), updatedAt: '2026-01-01T00:00:00.000Z' },
];
const fakeRollout = {
  from: 3,
  to: 4,
  plan: { strategy: 'canary', steps: [{ weight: 5, forMs: 60_000 }] },
  startedAt: '2026-01-01T00:00:00.000Z',
  state: 'watching',
  live: shareOf(4, 5, 3),
  step: { number: 1, of: 2, weight: 5, endsAt: '2026-01-01T00:01:00.000Z' },
  figures: { from: { requests: 950, errors: 1 }, to: { requests: 50, errors: 0 }, verdict: 'good' },
};

const noStarts = {
  warm: 0,
  thawed: 0,
  awakened: 0,
  provisioned: 0,
  cold: 0,
  recent: { count: 0, waited: { p50Ms: 0, p95Ms: 0 }, phases: [] },
};

const routes: readonly [method: string, path: RegExp, route: Route][] = [
  [
    'GET',
    /^\/v1\/platform$/,
    ({ url }, _name, _request, response) => sendJson(response, { gatewayUrl: url, isolation: { mode: 'process', facts: [] } }),
  ],
  [
    'HEAD',
    /^\/v1\/artifacts\/(.+)$/,
    ({ artifacts }, digest, _request, response) => void response.writeHead(artifacts.has(digest) ? 200 : 404).end(),
  ],
  ['PUT', /^\/v1\/artifacts\/(.+)$/, putArtifact],
  ['PUT', /^\/v1\/functions\/([^/]+)$/, putFunction],
  [
    'GET',
    /^\/v1\/functions$/,
    ({ functions }, _name, _request, response) =>
      sendJson(response, { functions: [...functions].map(([name, [serving]]) => ({ name, serving })) }),
  ],
  [
    'GET',
    /^\/v1\/functions\/([^/]+)$/,
    withVersions((response, name, [serving]) => sendJson(response, { name, serving, instances: [], instancesKnown: true })),
  ],
  [
    'GET',
    /^\/v1\/functions\/([^/]+)\/versions$/,
    withVersions((response, _name, versions) => sendJson(response, { serving: versions[0].number, versions })),
  ],
  [
    'GET',
    /^\/v1\/functions\/([^/]+)\/calls$/,
    withVersions((response) => sendJson(response, { since: '2026-01-01T00:00:00.000Z', calls: [] })),
  ],
  ['GET', /^\/v1\/functions\/([^/]+)\/starts$/, withVersions((response) => sendJson(response, noStarts))],
  ['DELETE', /^\/v1\/functions\/([^/]+)$/, removeFunction],
  ['GET', /^\/v1\/functions\/([^/]+)\/aliases$/, withVersions((response) => sendJson(response, { aliases: fakeAliases }))],
  ['PUT', /^\/v1\/functions\/[^/]+\/aliases\/([^/]+)$/, setAlias],
  ['DELETE', /^\/v1\/functions\/[^/]+\/aliases\/beta$/, (_means, _name, _request, response) => void response.writeHead(204).end()],
  ['GET', /^\/v1\/functions\/([^/]+)\/rollout$/, withVersions((response) => sendJson(response, fakeRollout))],
  ['POST', /^\/v1\/functions\/([^/]+)\/rollout$/, startRollout],
  [
    'POST',
    /^\/v1\/functions\/([^/]+)\/rollout\/abort$/,
    withVersions((response) =>
      sendJson(response, { ...fakeRollout, state: 'aborted', live: allTo(3), step: undefined, figures: undefined }),
    ),
  ],
  ['POST', /^\/v1\/functions\/([^/]+)\/rollback$/, rollBack],
  ['GET', /^\/v1\/functions\/([^/]+)\/logs$/, withVersions((response) => void response.end())],
  ['POST', /^\/_\/invoke\/([^/]+)$/, invoke],
  ['GET', /^\/v1\/events\/(.+)$/, (_means, id, _request, response) => sendEvent(response, id, (event) => event)],
  ['GET', /^\/v1\/dead-letters$/, (_means, _name, _request, response) => sendJson(response, { events: [fakeEvent] })],
  [
    'GET',
    /^\/v1\/dead-letters\/(.+)$/,
    (_means, id, _request, response) => sendEvent(response, id, (event) => ({ event, request: fakeEventRequest, body: 'eyJuIjoxfQ==' })),
  ],
  ['POST', /^\/v1\/dead-letters\/(?:redrive|purge)$/, select],
];

async function serve(means: Means, request: IncomingMessage, path: string, response: ServerResponse): Promise<void> {
  if (request.headers.authorization !== `Bearer ${fakeToken}`) {
    sendProblem(response, 'Unauthorized', 'the token is not known');
    return;
  }
  for (const [method, pattern, route] of routes) {
    const found = method === request.method ? pattern.exec(path) : null;
    if (found !== null) return route(means, found[1] ?? '', request, response);
  }
  sendProblem(response, 'NotFound', `${request.method ?? ''} ${path}`);
}

async function putArtifact({ artifacts }: Means, digest: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers['content-type'] !== bundleMediaType) {
    sendProblem(response, 'BadRequest', 'not a bundle');
    return;
  }
  artifacts.set(digest, (await buffer(request)).length);
  response.writeHead(201).end();
}

async function putFunction(
  { functions, artifacts }: Means,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { digest, config } = JSON.parse((await buffer(request)).toString()) as Pick<Version, 'digest' | 'config'>;
  const size = artifacts.get(digest);
  if (size === undefined) {
    sendProblem(response, 'NotFound', 'there is no such artifact');
    return;
  }
  const versions = functions.get(name) ?? [];
  const created = versions[0]?.digest !== digest;
  const version = {
    tenant: 'default',
    function: name,
    number: versions.length + 1,
    digest,
    size,
    config: functionConfigSchema.parse(config),
    createdAt: '2026-01-01T00:00:00.000Z',
  };
  if (created) functions.set(name, [version, ...versions]);
  sendJson(response, {
    version: created ? version : versions[0],
    created,
    placed: name !== unplaced,
    callers: version.config.url ?? 'public',
  });
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  return JSON.parse((await buffer(request)).toString()) as Record<string, unknown>;
}

async function setAlias(_means: Means, name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  sendJson(response, { name, ...(await bodyOf(request)), updatedAt: '2026-01-01T00:00:00.000Z', placed: true });
}

/** Takes any version and any plan. */
async function startRollout(_means: Means, _name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { version, plan = fakeRollout.plan } = await bodyOf(request);
  sendJson(response, { ...fakeRollout, to: version, plan, state: 'started', live: allTo(3), step: undefined, figures: undefined });
}

async function rollBack({ functions }: Means, name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { version = 2 } = await bodyOf(request);
  if (!functions.has(name)) {
    noFunction(response, name);
    return;
  }
  sendJson(response, { live: allTo(Number(version)), placed: true });
}

/** A function of this name is published while the roles that serve are away. */
export const unplaced = 'unplaced';

function removeFunction({ functions }: Means, name: string, _request: IncomingMessage, response: ServerResponse): void {
  if (functions.delete(name)) response.writeHead(204).end();
  else noFunction(response, name);
}

export const fakeEventId = '0196b0f2-aaaa-7bbb-8ccc-00000000000e';
const fakeEvent = {
  id: fakeEventId,
  function: 'hello',
  state: 'dead-lettered',
  acceptedAt: '2026-01-01T00:00:00.000Z',
  attempts: 3,
  endedAt: '2026-01-01T00:03:00.000Z',
  reason: 'attempts',
  error: { code: 'HandlerError', message: 'Error: \u001b[2Jboom' },
};
const fakeEventRequest = {
  kind: 'http',
  method: 'POST',
  target: '/orders?x=1',
  sourceIp: '127.0.0.1',
  headers: ['host', 'x', 'authorization', 'Bearer of-a-customer'],
};

function sendEvent(response: ServerResponse, id: string, shape: (event: typeof fakeEvent) => object): void {
  if (id === fakeEventId) sendJson(response, shape(fakeEvent));
  else sendProblem(response, 'EventNotFound', `there is no event ${id}`);
}

/** Counts what was selected: two of a function, five of all. */
async function select(_means: Means, _name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = JSON.parse((await buffer(request)).toString()) as { ids?: string[]; function?: string };
  sendJson(response, { count: asked.ids?.length ?? (asked.function === undefined ? 5 : 2), more: false });
}

async function invoke({ functions }: Means, name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!functions.has(name)) {
    noFunction(response, name);
    return;
  }
  const event: unknown = JSON.parse((await buffer(request)).toString());
  if (request.headers['prefer'] === 'respond-async') {
    const accepted = JSON.stringify({ id: fakeEventId, statusUrl: `/_/events/${fakeEventId}` });
    response.writeHead(202, { 'content-type': 'application/json' }).end(accepted);
    return;
  }
  sendJson(
    response,
    { event },
    { 'x-swiftlet-request-id': fakeRequestId, 'x-swiftlet-version': '1', 'x-swiftlet-start': 'cold', 'server-timing': 'handler;dur=1' },
  );
}

function withVersions(answer: (response: ServerResponse, name: string, versions: [Version, ...Version[]]) => void): Route {
  return ({ functions }, name, _request, response) => {
    const [newest, ...others] = functions.get(name) ?? [];
    if (newest === undefined) noFunction(response, name);
    else answer(response, name, [newest, ...others]);
  };
}

const noFunction = (response: ServerResponse, name: string): void =>
  sendProblem(response, 'FunctionNotFound', `there is no function "${name}"`);
