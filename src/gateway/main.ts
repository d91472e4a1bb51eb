/** The gateway's process: a plain node:http server, and what it is wired to. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Problem, SwiftletError, toProblem } from '../model/errors.ts';
import { clientIdleMs, maxHeaderBytes, maxHeaderCount } from '../model/limits.ts';
import { passFrom } from '../role/fault-points.ts';
import { deliverySocketOf, type RoleConfig, socketOf, stateSocketOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, runRole, shareSocket } from '../role/run-role.ts';
import { endedSchema, startingSchema } from '../wire/agent-calls.ts';
import { connectCalls, serveCalls } from '../wire/calls.ts';
import { askWatchedSchema } from '../wire/gateway-calls.ts';
import { invokeKind } from '../wire/instance-protocol.ts';
import { functionKey } from '../wire/published-state.ts';
import { subscribeState } from '../wire/state-subscriber.ts';
import { connectionsOf } from './connections.ts';
import { openDeliveryDoor } from './delivery-door.ts';
import { endGently } from './end-gently.ts';
import { EventDoor } from './event-door.ts';
import { knowsNothing } from './failures.ts';
import { Gateway } from './gateway.ts';
import { headFault } from './head-fault.ts';
import { GatewayMetrics } from './metrics.ts';
import { answerPlatform } from './platform-door.ts';
import { wantsNoAnswer } from './prefer.ts';
import { Reports } from './reports.ts';
import { route } from './route.ts';

const keepAliveMs = 75_000;
const checkConnectionsEveryMs = 1_000;
/** Control sends its state as soon as a gateway comes; without control a gateway can say no more than that. */
const knowsWithinMs = 1_000;

async function startGateway(config: RoleConfig, log: Logger): Promise<RunningRole> {
  const agent = connectCalls(
    socketOf(config.run, 'agent'),
    'gateway',
    {
      notice(method, body) {
        if (method === 'ended') gateway.instanceEnded(endedSchema.parse(body));
        if (method === 'starting') gateway.instanceStarting(startingSchema.parse(body));
      },
    },
    () => ({ holds: gateway.holds }),
  );
  const relay = connectCalls(socketOf(config.run, 'relay'), 'gateway');
  const reports = new Reports(relay);
  const metrics = new GatewayMetrics(() => ({
    inFlight: gateway.inFlight,
    waiting: gateway.waiting,
    instances: gateway.holds.length,
    droppedReports: reports.dropped,
  }));
  const gateway: Gateway = new Gateway({
    agent,
    reports,
    metrics,
    tenantInFlight: config.gateway.tenantInFlight,
    chance: () => Math.random(),
    log,
  });
  const { promise: knows, resolve: nowKnows } = Promise.withResolvers<undefined>();
  const subscriber = subscribeState(stateSocketOf(config.run), 'gateway', (state) => {
    gateway.applyState(state);
    nowKnows(undefined);
  });
  const isReady = () => subscriber.state !== undefined && agent.connected;

  const events = connectCalls(socketOf(config.run, 'events'), 'gateway');
  const knowsFunctions = () => subscriber.state !== undefined;
  const eventDoor = new EventDoor({ events, gateway, knowsFunctions, pass: passFrom(process.env) });
  const platform = { gateway, eventDoor, isReady, knowsFunctions, tokenHashes: () => subscriber.state?.tokenHashes ?? [] };

  let isStopping = false;
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: clientIdleMs,
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: checkConnectionsEveryMs,
      noDelay: true,
      requireHostHeader: false,
      optimizeEmptyRequests: true,
    },
    (request, response) => {
      const fault = headFault(request);
      if (isStopping || fault !== undefined) response.setHeader('connection', 'close');
      if (fault !== undefined) {
        gateway.refuse(request, response, randomUUID(), fault);
        return;
      }
      const way = route(request.url ?? '');
      switch (way.kind) {
        case 'function':
          if (request.headers.prefer !== undefined && wantsNoAnswer(request.headers.prefer))
            eventDoor.accept(request, response, { key: way.key, name: way.name, kind: 'http', target: way.rest });
          else if (!knowsFunctions()) gateway.refuse(request, response, randomUUID(), knowsNothing());
          else gateway.handle(request, response, way.key, way.name, invokeKind.http, way.rest);
          break;
        case 'platform':
          answerPlatform(platform, request, response, way.path);
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
    },
  );
  server.maxHeadersCount = maxHeaderCount + 1;
  server.on('clientError', answerMalformed);
  const connections = connectionsOf(server);
  // A connection that is refused is tried again, or elsewhere; an answer that a function is not known is believed.
  await Promise.race([knows, pause(knowsWithinMs, undefined, { ref: false })]);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.gateway.port, config.gateway.host, resolve);
  });

  const deliverySocket = deliverySocketOf(config.run);
  clearSocket(deliverySocket);
  const deliveries = await openDeliveryDoor(deliverySocket, { gateway, isOpen: () => knowsFunctions() && !isStopping });
  shareSocket(deliverySocket, config);

  const socketPath = socketOf(config.run, 'gateway');
  clearSocket(socketPath);
  const calls = await serveCalls(socketPath, 'gateway', {
    ask: async (method, body) => {
      if (method === 'metrics') return { text: await metrics.text() };
      if (method === 'watched') {
        const { tenant, function: name } = askWatchedSchema.parse(body);
        return gateway.watched(functionKey(tenant, name));
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
      isStopping = true;
      await gateway.drain(graceOver);
      await connections.end(graceOver);
      reports[Symbol.dispose]();
      for (const part of [deliveries, calls, subscriber, events, agent, relay]) await part[Symbol.asyncDispose]();
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
