/** The way of a request through the gateway: route, admit, activate, dispatch, reply. Everything a request waits for has a limit here. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { SwiftletError } from '../model/errors.ts';
import { type Version, versionIdOf } from '../model/function.ts';
import { totalMs } from '../model/phases.ts';
import type { Ended, Starting } from '../wire/agent-calls.ts';
import type { CallClient } from '../wire/calls.ts';
import type { Watched } from '../wire/gateway-calls.ts';
import { invokeKind } from '../wire/instance-protocol.ts';
import type { PublishedState } from '../wire/published-state.ts';
import { refusal } from './admit.ts';
import { cancel, dispatch } from './dispatch.ts';
import { Exchange } from './exchange.ts';
import { brokeProtocol, removed } from './failures.ts';
import { InFlight } from './in-flight.ts';
import type { InstanceLink, LinkEvents } from './instance-link.ts';
import { Links } from './links.ts';
import type { GatewayMetrics } from './metrics.ts';
import { pickVersion, versionHeader } from './pick-version.ts';
import { flushHeld, receive, type Verdict } from './receive.ts';
import { refuse, sendProblem } from './reply.ts';
import type { Reports } from './reports.ts';
import { bodyLengthOf } from './request-headers.ts';
import type { ServedVersion } from './served-version.ts';
import { Serving } from './serving.ts';
import { type StartEvents, Starts } from './starts.ts';
import { tally } from './tally.ts';
import { enforceTimeLimits, giveUp, type TimeLimitMeans } from './time-limits.ts';
import { type StartedInstance, waitFor } from './waited-start.ts';

export interface GatewayMeans {
  readonly agent: CallClient;
  readonly reports: Reports;
  readonly metrics: GatewayMetrics;
  readonly tenantInFlight: number;
  /** From 0 to 1, exclusive: decides between versions. */
  readonly chance: () => number;
  readonly log: Logger;
}

const sweepEveryMs = 50;

export class Gateway implements LinkEvents, StartEvents {
  readonly #means: GatewayMeans;
  readonly #serving: Serving;
  readonly #inFlight = new InFlight();
  readonly #links: Links;
  readonly #starts: Starts;
  /** Requests with an answer held back in this turn. */
  readonly #held: Exchange[] = [];
  readonly #timeLimitMeans: TimeLimitMeans;
  readonly #sweep: NodeJS.Timeout;

  constructor(means: GatewayMeans) {
    this.#means = means;
    this.#serving = new Serving({ figuresOf: (version) => means.metrics.of(version), chance: means.chance });
    const settle = (exchange: Exchange, error: SwiftletError) => this.#settle(exchange, error);
    const links = new Links(means.agent, settle);
    this.#links = links;
    this.#timeLimitMeans = { settle, discard: (link, code, detail) => links.discard(link, code, detail) };
    this.#starts = new Starts(means.agent, this);
    this.#sweep = setInterval(() => this.#sweepOnce(performance.now()), sweepEveryMs);
  }

  get holds(): string[] {
    return this.#links.ids;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  get waiting(): number {
    let waiting = 0;
    for (const served of this.#serving.all) waiting += served.waiting;
    return waiting;
  }

  /** Takes a new state: new requests go to the serving versions, those under way end where they are. */
  applyState(state: PublishedState): void {
    for (const served of this.#serving.take(state)) this.#retire(served);
  }

  /** The version that stands for a function. */
  find(key: string): Version | undefined {
    return this.#serving.find(key);
  }

  /** How the versions of a function did since they are watched. */
  watched(key: string): Watched {
    return this.#serving.watched(key);
  }

  /**
   * Takes a request for a function, from its admission to its end.
   * @param key the function's or its alias's, as `route` gives it
   * @param sourceIp, id the caller's address, and the invocation's id: others than the request itself has when it brings a stored event
   */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    key: string,
    name: string,
    kind: number,
    target: string,
    sourceIp = request.socket.remoteAddress ?? '',
    id: string = randomUUID(),
  ): void {
    const { headers } = request;
    const served = pickVersion(this.#serving, key, name, headers, kind === invokeKind.event);
    if (served instanceof SwiftletError) {
      this.refuse(request, response, id, served);
      return;
    }
    const now = performance.now();
    const bodyLength = bodyLengthOf(request);
    const load = { inFlight: this.#inFlight.of(served.version.tenant), tenantInFlight: this.#means.tenantInFlight };
    const refused = refusal(served, bodyLength, load, now);
    if (refused !== undefined) {
      served.figures.refused(refused.code);
      refuse(request, response, id, refused, served.version.number);
      return;
    }
    const until = now + served.version.config.queueTimeoutMs;
    const wanted = headers[versionHeader] === undefined ? key : versionIdOf(served.version);
    const exchange = new Exchange(request, response, id, served, kind, target, sourceIp, bodyLength, now, until, wanted);
    this.#inFlight.add(exchange);
    response.once('close', () => this.#onClose(exchange));
    this.#place(exchange, now);
  }

  /** Answers a request that is for no function, with problem details. */
  refuse(request: IncomingMessage, response: ServerResponse, id: string, error: SwiftletError): void {
    this.#means.metrics.refused(error.code);
    refuse(request, response, id, error);
  }

  /** Notice of the agent: an instance is gone, and why. */
  instanceEnded(ended: Ended): void {
    this.#links.ended(ended);
  }

  /** Notice of the agent: an instance that was asked for has its sandbox. */
  instanceStarting(starting: Starting): void {
    this.#starts.announced(starting, performance.now());
  }

  /** Answers what is in flight, each as the last on its connection. @returns once nothing is, or its time is over */
  async drain(graceOver: AbortSignal): Promise<void> {
    for (const { response } of this.#inFlight.all()) if (!response.headersSent) response.setHeader('connection', 'close');
    // Looked at after a while at the earliest: what callers have just sent on open connections is still to be read.
    do await pause(sweepEveryMs, undefined, { signal: graceOver }).catch(() => undefined);
    while (this.#inFlight.size > 0 && !graceOver.aborted);
    clearInterval(this.#sweep);
    this.#links.close();
    this.#starts.close();
  }

  /** Hands a request to a free instance, or lets it wait for one. */
  #place(exchange: Exchange, now: number): void {
    const { served } = exchange;
    const link = served.free.at(-1);
    if (link === undefined) {
      served.enqueue(exchange);
      this.#starts.activate(served, now, exchange.id);
    } else this.#dispatch(exchange, link, now);
  }

  #dispatch(exchange: Exchange, link: InstanceLink, now: number): void {
    this.#begin(exchange, link, now);
    dispatch(exchange, link, now, giveUp);
    if (!link.hasRoom) exchange.served.removeFree(link);
  }

  /** Its instance has it, or is there at last: the handler's time counts from here. */
  #begin(exchange: Exchange, link: InstanceLink, now: number): void {
    exchange.state = 'dispatched';
    exchange.start = link.start;
    exchange.queueMs = Math.max(0, now - exchange.arrivedAt - totalMs(exchange.waitedStart?.waited));
    exchange.dispatchedAt = now;
    exchange.deadline = now + exchange.served.version.config.timeoutMs;
  }

  connected(link: InstanceLink): void {
    const now = performance.now();
    for (let room = link.slots; room > 0; room--) {
      const exchange = link.served.takeAhead();
      if (exchange === undefined) return;
      exchange.state = 'ahead';
      dispatch(exchange, link, now, giveUp);
    }
  }

  started(link: InstanceLink, start: StartedInstance | undefined): void {
    const now = performance.now();
    this.#links.add(link);
    for (const exchange of link.streams.values()) {
      exchange.served.forgetWaiting();
      addWait(exchange, start, now);
      this.#begin(exchange, link, now);
    }
    link.open();
    for (let next = this.#nextFor(link); next !== undefined; next = this.#nextFor(link)) {
      addWait(next, start, now);
      this.#dispatch(next, link, now);
    }
    link.beReady();
    // It has all that it will ever get.
    if (link.served.isOneShot) link.retire();
    this.#rest(link, now);
  }

  failed(served: ServedVersion, error: SwiftletError, ahead: InstanceLink | undefined): void {
    for (const exchange of ahead?.streams.values() ?? []) this.#failCold(exchange, error);
    ahead?.close();
    // Counted out when it is settled, and not twice: the next one would not be started for.
    for (let exchange = served.takeAhead(); exchange !== undefined; exchange = served.takeAhead()) this.#failCold(exchange, error);
  }

  /** It waited for an instance, although there is none. */
  #failCold(exchange: Exchange, error: SwiftletError): void {
    exchange.start = 'cold';
    this.#settle(exchange, error);
  }

  putOff(served: ServedVersion, ahead: InstanceLink | undefined): void {
    for (const exchange of [...(ahead?.streams.values() ?? [])].reverse()) {
      exchange.link = undefined;
      if (exchange.abandoned !== undefined) this.#settle(exchange, new SwiftletError(exchange.abandoned, 'nobody waits for it'));
      else {
        exchange.state = 'waiting';
        served.putBack(exchange);
      }
    }
    ahead?.streams.clear();
    ahead?.close();
    if (served.retired) this.#retire(served);
  }

  begun(link: InstanceLink): void {
    this.#starts.begun(link);
  }

  lost(link: InstanceLink): void {
    this.#starts.lost(link);
  }

  #nextFor(link: InstanceLink): Exchange | undefined {
    return link.hasRoom ? link.served.dequeue() : undefined;
  }

  frame(link: InstanceLink, exchange: Exchange, type: number, payload: Buffer): void {
    const heldBefore = exchange.headSent || exchange.head !== undefined;
    const verdict = receive(exchange, type, payload);
    if (!heldBefore && exchange.head !== undefined && verdict.kind === 'goesOn') this.#held.push(exchange);
    if (verdict.kind !== 'goesOn') this.#conclude(link, exchange, verdict);
  }

  turn(): void {
    for (const exchange of this.#held) if (exchange.state === 'dispatched') flushHeld(exchange);
    this.#held.length = 0;
  }

  #conclude(link: InstanceLink, exchange: Exchange, verdict: Exclude<Verdict, { kind: 'goesOn' }>): void {
    if (verdict.kind === 'broken') this.#links.discard(link, 'FunctionCrashed', verdict.error.message);
    link.streams.delete(exchange.stream);
    const now = performance.now();
    this.#settle(exchange, verdict.kind === 'done' ? undefined : verdict.error, now);
    const next = this.#nextFor(link);
    if (next !== undefined) this.#dispatch(next, link, now);
    this.#rest(link, now);
  }

  /** Nobody waits for the slots that it has free. */
  #rest(link: InstanceLink, now: number): void {
    if (link.hasRoom) link.served.addFree(link);
    if (link.streams.size > 0) return;
    link.idleSince = now;
    if (link.served.retired || link.state === 'retired') this.#links.release(link, now);
  }

  broke(link: InstanceLink): void {
    this.#links.discard(link, 'FunctionCrashed', brokeProtocol(link.served.version));
  }

  closed(link: InstanceLink, wasRetired: boolean): void {
    this.#links.lost(link, wasRetired);
    this.#starts.activate(link.served, performance.now());
  }

  #settle(exchange: Exchange, error: SwiftletError | undefined, now = performance.now()): void {
    if (exchange.state === 'settled') return;
    if (exchange.state !== 'dispatched') {
      exchange.served.forgetWaiting();
      exchange.queueMs = now - exchange.arrivedAt;
    }
    exchange.state = 'settled';
    this.#inFlight.delete(exchange);
    if (error !== undefined && exchange.abandoned === undefined) sendProblem(exchange, error);
    if (error?.code === 'Internal') this.#means.log.error({ err: error, requestId: exchange.id }, 'a request failed for a mistake of ours');
    const outcome = exchange.abandoned ?? error?.code ?? 'ok';
    tally(exchange, outcome, now);
    this.#means.reports.record(exchange, outcome, now);
  }

  #onClose(exchange: Exchange): void {
    if (exchange.state === 'settled' || exchange.abandoned !== undefined) return;
    exchange.abandoned = 'ClientClosedRequest';
    if (exchange.state === 'waiting') this.#settle(exchange, new SwiftletError('ClientClosedRequest', 'the caller hung up'));
    else cancel(exchange);
  }

  /** Whoever waited for it waits for what its request asked for now, at the place where it came in. */
  #retire(served: ServedVersion): void {
    served.retired = true;
    for (let exchange = served.takeAhead(); exchange !== undefined; exchange = served.takeAhead()) {
      const successor = this.#serving.successor(exchange.wanted, exchange.request.headers);
      if (successor === undefined) this.#settle(exchange, removed(served.version, exchange.wanted));
      else {
        served.forgetWaiting();
        this.#place(Object.assign(exchange, { served: successor }), performance.now());
      }
    }
    this.#links.releaseIdleOf(served, performance.now());
    if (this.#serving.find(served.key) === undefined) this.#means.metrics.forget(served.version);
  }

  #sweepOnce(now: number): void {
    for (const exchange of this.#inFlight.all()) enforceTimeLimits(exchange, now, this.#timeLimitMeans);
    this.#links.releaseIdle(now);
    for (const served of this.#serving.all) if (served.waiting > 0) this.#starts.activate(served, now);
  }
}

function addWait(exchange: Exchange, start: StartedInstance | undefined, now: number): void {
  if (start !== undefined) exchange.waitedStart = waitFor(start, now - exchange.arrivedAt);
}
