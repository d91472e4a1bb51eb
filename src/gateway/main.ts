/** The gateway's process: a plain node:http server, and what it is wired to. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Problem, SwiftletError, toProblem } from '../model/errors.ts';
import { publishedIssuersSchema } from '../model/issuer.ts';
import type { AgentNumber } from '../model/fleet.ts';
import type { Labels } from '../model/groups.ts';
import { clientIdleMs, maxHeaderBytes } from '../model/limits.ts';
import { Senders } from '../lambda/senders.ts';
import { passFrom } from '../role/fault-points.ts';
import { openCallPlaces } from '../role/call-places.ts';
import { agentLabels, deliverySocketOf, lambdaSocketOf, type RoleConfig, socketOf, tlsMaterialOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, runRole, shareSocket } from '../role/run-role.ts';
import { connectCalls, serveCalls } from '../wire/calls.ts';
import { accessKeysSchema, callerKeysSchema, askCallsSchema, askWatchedSchema, spentSchema } from '../wire/gateway-calls.ts';
import { SeenNonces } from '../model/seen-nonces.ts';
import { functionKey } from '../wire/published-state.ts';
import { secretsSchema } from '../wire/secret-calls.ts';
import { Variables } from '../wire/variables.ts';
import { type Agent, Agents } from './instances/agents.ts';
import { JwtCallers } from './protection/jwt-callers.ts';
import { KeyedDoor } from './doors/keyed-door.ts';
import { SignedDoor } from './doors/signed-door.ts';
import { Identities } from '../wire/identities.ts';
import type { Loads } from '../wire/scale-calls.ts';
import { type StateSubscriber, subscribeState } from '../wire/state-subscriber.ts';
import { Access } from './protection/access.ts';
import { CallGraph } from './calls/call-graph.ts';
import { CloudEventDoor } from './doors/cloud-event-door.ts';
import { connectionsOf } from './http/connections.ts';
import { openDeliveryDoor } from './doors/delivery-door.ts';
import { endGently } from './http/end-gently.ts';
import { EventDoor } from './doors/event-door.ts';
import { FunctionCalls } from './calls/function-calls.ts';
import { answerFunction, refuseMethod } from './doors/function-door.ts';
import { Gateway } from './gateway.ts';
import { callerServer, listenAt } from './http/caller-server.ts';
import { headFault } from './http/head-fault.ts';
import { InnerRequests } from './doors/inner-requests.ts';
import { KeyRing } from './lambda/key-ring.ts';
import { LambdaDoor } from './lambda/lambda-door.ts';
import { openLambdaServer } from './lambda/lambda-server.ts';
import { passOn } from './lambda/pass-on.ts';
import { readLogTail } from './lambda/read-log-tail.ts';
import { GatewayMetrics } from './figures/metrics.ts';
import { answerPlatform } from './doors/platform-door.ts';
import { Reports } from './figures/reports.ts';
import { route } from './routing/route.ts';
import { RouteTable } from './routing/route-table.ts';
import { openSecureDoor } from './secure/secure-door.ts';
import { Handshake, mayUpgrade } from './web-socket/handshake.ts';
import { SharedLimits } from './protection/shared-limits.ts';
import { TenantMeters } from './protection/tenant-meters.ts';

/** Control sends its state as soon as a gateway comes; without control a gateway can say no more than that. */
const knowsWithinMs = 1_000;

async function startGateway(config: RoleConfig, log: Logger): Promise<RunningRole> {
  const processId = randomUUID();
  const { index = 0, count = 1 } = config.gateway;
  const places = openCallPlaces(config, 'gateway', log);
  const connectAgent = (number: AgentNumber, labels: Labels): Agent => {
    const agent: Agent = {
      number,
      labels,
      client: connectCalls(
        places.of('agent', number),
        'gateway',
        {
          opened: () => (number === 0 ? shared?.tellHeld() : undefined),
          notice: (method, body) => gateway.notices.take(agent, method, body),
        },
        () => {
          const { instanceIds: holds, slots } = gateway.heldOf(agent);
          return { holds, slots, process: processId };
        },
      ),
    };
    return agent;
  };
  const chance = () => Math.random();
  const agents = new Agents(
    agentLabels(config).map((labels, number) => connectAgent(number, labels)),
    chance,
  );
  const seen = new SeenNonces();
  const [counter] = agents.all;
  // The first agent counts for all gateways.
  const shared = count === 1 || counter === undefined ? undefined : new SharedLimits(counter.client, count, seen);
  const relay = connectCalls(places.of('relay'), 'gateway');
  const reports = new Reports(relay);
  const metrics = new GatewayMetrics(() => ({
    ...gateway.counts,
    instances: gateway.holds.length,
    droppedReports: reports.dropped,
  }));
  const identities = new Identities((issuer) => subscriber.tell('unknown key', { issuer }));
  const jwtCallers = new JwtCallers((id) => subscriber.tell('unknown caller key', { id }));
  const access = new Access(config.gateway.urls, identities, jwtCallers, () => Date.now());
  const variables = new Variables();
  const accessKeys = new KeyRing();
  const meters = new TenantMeters();
  const routes = new RouteTable();
  const graph = new CallGraph(Date.now());
  const deliverySocket = deliverySocketOf(config.run, index);
  const inner = new InnerRequests(() => gateway);
  const { tracing: traced } = config.gateway;
  // What nobody asked for is not even loaded.
  const tracing = traced === undefined ? undefined : (await import('./tracing/otlp-tracing.ts')).openTracing(traced);
  const gateway: Gateway = new Gateway({
    access,
    meters,
    agents,
    reports,
    metrics,
    calls: new FunctionCalls({ inner, store: (event) => eventDoor.store(event), graph, log }),
    tracing,
    tenantInFlight: config.gateway.tenantInFlight,
    shared,
    chance,
    log,
  });
  const { promise: knows, resolve: nowKnows } = Promise.withResolvers<undefined>();
  const subscriber: StateSubscriber = subscribeState(
    places.of('state'),
    'gateway',
    (state) => {
      gateway.applyState(state);
      routes.take(state);
      signedDoor.take(state.functions);
      graph.forgetAllBut(state.functions);
      nowKnows(undefined);
    },
    (method, body) => {
      if (method === 'spent') meters.takeSpent(spentSchema.parse(body));
      if (method === 'access keys') accessKeys.take(accessKeysSchema.parse(body));
      if (method === 'caller keys') jwtCallers.take(callerKeysSchema.parse(body));
      if (method === 'issuers') identities.take(publishedIssuersSchema.parse(body));
    },
  );
  const isReady = () => subscriber.state !== undefined && agents.connected;

  const events = connectCalls(places.of('events'), 'gateway');
  const knowsFunctions = () => subscriber.state !== undefined;
  const eventDoor: EventDoor = new EventDoor({ events, gateway, knowsFunctions, pass: passFrom(process.env) });
  const cloudEvents = new CloudEventDoor({ gateway, inner, events: eventDoor });
  const signedDoor = new SignedDoor({
    gateway,
    variables,
    shared,
    seen,
    wrong: (sourceIp) => access.wrong(sourceIp),
    now: () => Date.now(),
  });
  const senders = new Senders({ keys: accessKeys, callerOf: (id) => access.ofToken(id), now: () => Date.now() });
  const keyedDoor = new KeyedDoor({ senders, access });
  const doors = { shared, signedDoor, keyedDoor, gateway, eventDoor, cloudEvents, access, isReady, knowsFunctions };

  const lambdaDoor = new LambdaDoor({
    gateway,
    access,
    inner,
    events: eventDoor,
    logTail: (of) => readLogTail({ relay, reports }, of),
    passOn: (request, response) => passOn(lambdaSocketOf(config.run), request, response),
    senders,
    knowsFunctions,
    log,
  });

  let isStopping = false;
  const take = (request: IncomingMessage, response: ServerResponse) => {
    const fault = headFault(request);
    if (isStopping || fault !== undefined) response.setHeader('connection', 'close');
    if (fault !== undefined) {
      gateway.refuse(request, response, randomUUID(), fault);
      return;
    }
    const way = routes.lead(route(request.url ?? ''), request);
    switch (way.kind) {
      case 'function':
        answerFunction(doors, request, response, way);
        break;
      case 'other methods':
        refuseMethod(gateway, request, response, way.methods);
        break;
      case 'platform':
        answerPlatform(doors, request, response, way.path);
        break;
      case 'root':
        gateway.refuse(
          request,
          response,
          randomUUID(),
          new SwiftletError('NotFound', 'functions are at /<function>/; "swiftlet list" names them'),
        );
        break;
      case 'invalid':
        gateway.refuse(request, response, randomUUID(), new SwiftletError('PathInvalid', `the path is not accepted: ${way.reason}`));
        break;
    }
  };
  const refuse = (request: IncomingMessage, response: ServerResponse, error: SwiftletError) =>
    gateway.refuse(request, response, randomUUID(), error);
  const server = callerServer(take, { optimizeEmptyRequests: true, shouldUpgradeCallback: mayUpgrade });
  server.on('upgrade', (request, socket: Socket, early) => take(request, new Handshake(request, socket, early)));
  server.on('clientError', answerMalformed);
  const connections = connectionsOf(server);
  // A connection that is refused is tried again, or elsewhere; an answer that a function is not known is believed.
  await Promise.race([knows, pause(knowsWithinMs, undefined, { ref: false })]);
  const { host, port, lambdaPort, secure: place, sockets } = config.gateway;
  await listenAt(server, { host, port, socket: sockets?.plain });
  const material = tlsMaterialOf(config.run);
  const secure =
    place === undefined
      ? undefined
      : await openSecureDoor({ place: { ...place, socket: sockets?.secure }, material, take, refuse, plain: server, log });
  const lambdaPlace = lambdaPort === undefined ? undefined : { host, port: lambdaPort, socket: sockets?.lambda };
  const lambda = lambdaPlace === undefined ? undefined : await openLambdaServer(lambdaPlace, lambdaDoor, () => isStopping);

  clearSocket(deliverySocket);
  const deliveries = await openDeliveryDoor(deliverySocket, {
    gateway,
    isOpen: () => knowsFunctions() && !isStopping,
  });
  shareSocket(deliverySocket, config);

  const socketPath = socketOf(config.run, 'gateway', index);
  clearSocket(socketPath);
  const calls = await serveCalls(places.listen('gateway', index), 'gateway', {
    ask: async (method, body) => {
      if (method === 'metrics') return { text: `${await metrics.text()}\n${await graph.text()}` };
      if (method === 'secrets') {
        variables.take(secretsSchema.parse(body));
        return {};
      }
      if (method === 'loads') return { process: processId, loads: gateway.loads() } satisfies Loads;
      if (method === 'watched') {
        const { tenant, function: name } = askWatchedSchema.parse(body);
        return gateway.watched(functionKey(tenant, name));
      }
      if (method === 'calls') {
        const { tenant, function: name } = askCallsSchema.parse(body);
        return graph.of(tenant, name);
      }
      return isReady() && subscriber.isFollowing
        ? { ready: true, detail: 'takes requests' }
        : { ready: false, detail: 'does not follow control, or has no agent, yet' };
    },
  });
  shareSocket(socketPath, config);

  return {
    async stop(graceOver) {
      connections.refuseMore();
      lambda?.refuseMore();
      secure?.refuseMore();
      isStopping = true;
      await Promise.all([cloudEvents.drain(graceOver), lambdaDoor.drain(graceOver)]);
      await gateway.drain(graceOver);
      await Promise.all([connections.end(graceOver), lambda?.end(graceOver), secure?.end(graceOver)]);
      reports[Symbol.dispose]();
      await tracing?.[Symbol.asyncDispose]();
      for (const part of [deliveries, calls, subscriber, events, ...agents.all.map(({ client }) => client), relay])
        await part[Symbol.asyncDispose]();
      places[Symbol.dispose]();
    },
  };
}

/** What node:http could not read as a request: no function has seen it, and the connection ends. */
function answerMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { problem, body } = malformedAs(error);
  socket.write(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nX-Swiftlet-Request-Id: ${problem.requestId}\r\nX-Swiftlet-Error: ${problem.code}\r\n` +
      `Connection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  endGently(socket);
}

function malformedAs({ code, message }: Error & { code?: string }): { problem: Problem; body: string } {
  const error =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? new SwiftletError('RequestTimeout', `the request's head did not come within ${clientIdleMs} ms`)
      : code === 'HPE_HEADER_OVERFLOW'
        ? new SwiftletError('HeadersTooLarge', `the request's headers are over ${maxHeaderBytes} bytes; send less`)
        : new SwiftletError('BadRequest', `the request cannot be read: ${message}`);
  const problem = toProblem(error, randomUUID());
  return { problem, body: JSON.stringify(problem) };
}

await runRole(startGateway);
