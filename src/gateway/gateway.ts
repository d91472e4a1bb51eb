/** The way of a request through the gateway: route, admit, activate, dispatch, reply. Everything a request waits for has a limit here. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type ErrorCode, SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import { clientIdleMs, maxBodyBytes } from '../model/limits.ts';
import { acquiredSchema, type AcquiredInstance, type Ended, renewEveryMs } from '../wire/agent-calls.ts';
import type { CallClient } from '../wire/calls.ts';
import type { PublishedState } from '../wire/published-state.ts';
import { pauseAfterFailures, startsWanted } from './activate.ts';
import { bodyTooLarge, cancel, dispatch } from './dispatch.ts';
import { Exchange } from './exchange.ts';
import { InstanceLink, type LinkEvents } from './instance-link.ts';
import type { GatewayMetrics } from './metrics.ts';
import { flushHeld, receive, type Verdict } from './receive.ts';
import { sendProblem, writeProblem } from './reply.ts';
import type { Reports } from './reports.ts';
import { ServedFunction } from './served-function.ts';

export interface GatewayMeans {
  readonly agent: CallClient;
  readonly reports: Reports;
  readonly metrics: GatewayMetrics;
  readonly tenantInFlight: number;
  readonly log: Logger;
}

const sweepEveryMs = 50;
/** How long a request whose instance is gone waits to hear from the agent why. */
const reasonWaitMs = 1_000;
/** What an agent may need for a start beside the user's own init. */
const startAllowanceMs = 20_000;

/** These say that the function itself cannot start: who waits for it is told at once. */
const initFailures: ReadonlySet<ErrorCode> = new Set([
  'InitError',
  'InitTimeout',
  'OutOfMemory',
  'HandlerNotFound',
  'RuntimeUnknown',
  'FunctionCrashed',
  'Internal',
]);

export class Gateway implements LinkEvents {
  readonly #means: GatewayMeans;
  #served = new Map<string, ServedFunction>();
  readonly #links = new Map<string, InstanceLink>();
  readonly #exchanges = new Set<Exchange>();
  /** Links that broke with requests on them, until it is known why. */
  readonly #orphaned = new Map<string, InstanceLink>();
  /** Links with an answer held back in this turn. */
  readonly #held: Exchange[] = [];
  readonly #sweep: NodeJS.Timeout;
  readonly #renew: NodeJS.Timeout;

  constructor(means: GatewayMeans) {
    this.#means = means;
    this.#sweep = setInterval(() => this.#sweepOnce(performance.now()), sweepEveryMs);
    this.#renew = setInterval(() => this.#means.agent.notify('renew', { instanceIds: this.holds }), renewEveryMs);
  }

  get holds(): string[] {
    return [...this.#links.keys()];
  }

  get inFlight(): number {
    return this.#exchanges.size;
  }

  get waiting(): number {
    let waiting = 0;
    for (const served of this.#served.values()) waiting += served.waiting;
    return waiting;
  }

  /** Takes a new state: new requests go to the serving versions, those under way end where they are. */
  applyState(state: PublishedState): void {
    const next = new Map<string, ServedFunction>();
    for (const [key, version] of state.functions) {
      const current = this.#served.get(key);
      next.set(key, current?.version.number === version.number ? current : new ServedFunction(version, key));
    }
    for (const [key, served] of this.#served) if (next.get(key) !== served) this.#retire(served, next.get(key));
    this.#served = next;
  }

  find(key: string): Version | undefined {
    return this.#served.get(key)?.version;
  }

  /**
   * Takes a request for a function, from its admission to its end.
   * @param key the function's, as `route` gives it
   */
  handle(request: IncomingMessage, response: ServerResponse, key: string, name: string, kind: number, target: string): void {
    const id = randomUUID();
    const served = this.#served.get(key);
    if (served === undefined) {
      this.refuse(
        request,
        response,
        id,
        new SwiftletError('FunctionNotFound', `there is no function "${name}"; deploy it, or see "swiftlet list"`),
      );
      return;
    }
    const bodyLength = bodyLengthOf(request);
    const refusal = this.#admit(served, bodyLength);
    if (refusal !== undefined) {
      this.refuse(request, response, id, refusal);
      return;
    }
    const now = performance.now();
    const exchange = new Exchange(request, response, id, served, kind, target, bodyLength, now, now + served.version.config.queueTimeoutMs);
    this.#exchanges.add(exchange);
    response.once('close', () => this.#onClose(exchange));
    this.#place(exchange, now);
  }

  /** Answers with problem details, before any function has seen the request. */
  refuse(request: IncomingMessage, response: ServerResponse, id: string, error: SwiftletError): void {
    this.#means.metrics.refused(error.code);
    writeProblem(response, error, id, ['x-swiftlet-request-id', id], !request.complete && bodyLengthOf(request) !== 0);
  }

  /** Notice of the agent: an instance is gone, and why. */
  instanceEnded(ended: Ended): void {
    const link = this.#links.get(ended.instanceId) ?? this.#orphaned.get(ended.instanceId);
    if (link === undefined) return;
    link.close();
    this.#failOrphans(link, ended);
  }

  /** @returns once nothing is in flight, or the time is over */
  async drain(graceMs: number): Promise<void> {
    const until = performance.now() + graceMs;
    while (this.#exchanges.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, sweepEveryMs));
    clearInterval(this.#sweep);
    clearInterval(this.#renew);
    for (const link of this.#links.values()) link.close();
  }

  #admit(served: ServedFunction, bodyLength: number): SwiftletError | undefined {
    const { version, lastFailure } = served;
    if (bodyLength > maxBodyBytes) return bodyTooLarge();
    if (this.#exchanges.size >= this.#means.tenantInFlight)
      return new SwiftletError('TooManyRequests', `${this.#means.tenantInFlight} requests are under way already; send fewer at once`);
    if (lastFailure !== undefined && served.instances === 0 && performance.now() < served.pausedUntil) return lastFailure;
    if (served.waiting >= version.config.queueLength && served.free.length === 0 && version.config.queueLength > 0) {
      return new SwiftletError(
        'QueueFull',
        `${served.waiting} requests wait for function "${version.function}" already; raise "queue.length" or "maximum", or send fewer at once`,
      );
    }
    return undefined;
  }

  /** Hands a request to a free instance, or lets it wait for one. */
  #place(exchange: Exchange, now: number): void {
    const { served } = exchange;
    const link = served.free.at(-1);
    if (link === undefined) {
      served.enqueue(exchange);
      this.#activate(served, now);
    } else this.#dispatch(exchange, link, now);
  }

  #dispatch(exchange: Exchange, link: InstanceLink, now: number): void {
    exchange.queueMs = Math.max(0, now - exchange.arrivedAt - coldTotal(exchange));
    exchange.dispatchedAt = now;
    exchange.deadline = now + exchange.served.version.config.timeoutMs;
    dispatch(exchange, link, this.#onTooLarge);
    if (!link.hasRoom) exchange.served.removeFree(link);
  }

  readonly #onTooLarge = (exchange: Exchange, error: SwiftletError): void => this.#giveUp(exchange, error);

  #activate(served: ServedFunction, now: number): void {
    const { config } = served.version;
    if (now < served.pausedUntil) return;
    const wanted = startsWanted({
      waiting: served.waiting,
      starting: served.starting,
      instances: served.instances,
      slots: config.concurrency,
      maximum: config.maximum,
    });
    for (let asked = 0; asked < wanted; asked++) void this.#acquire(served);
  }

  async #acquire(served: ServedFunction): Promise<void> {
    const { tenant, function: name, number, config } = served.version;
    served.starting += 1;
    try {
      const answer = await this.#means.agent.ask('acquire', { tenant, function: name, number }, config.initTimeoutMs + startAllowanceMs);
      this.#addInstance(served, acquiredSchema.parse(answer));
    } catch (error) {
      this.#startFailed(served, error);
    } finally {
      served.starting -= 1;
    }
  }

  #addInstance(served: ServedFunction, acquired: AcquiredInstance): void {
    const now = performance.now();
    served.failures = 0;
    served.lastFailure = undefined;
    served.lastRefusal = undefined;
    served.instances += 1;
    const link = new InstanceLink(acquired.instanceId, acquired.socketPath, acquired.slots, served, this, now);
    this.#links.set(link.id, link);
    served.addFree(link);
    for (let exchange = this.#nextFor(link); exchange !== undefined; exchange = this.#nextFor(link)) {
      if (acquired.start === 'cold') {
        exchange.start = 'cold';
        exchange.phases = acquired.phases;
      }
      this.#dispatch(exchange, link, now);
    }
  }

  #startFailed(served: ServedFunction, error: unknown): void {
    const known =
      error instanceof SwiftletError
        ? error
        : new SwiftletError('Internal', `an instance could not be started: ${String(error)}`, { cause: error });
    served.lastRefusal = known;
    if (!initFailures.has(known.code)) {
      // Full, away, or at the maximum: whoever waits goes on waiting, and the sweep asks again.
      served.pausedUntil = performance.now() + sweepEveryMs;
      return;
    }
    served.failures += 1;
    served.lastFailure = known;
    served.pausedUntil = performance.now() + pauseAfterFailures(served.failures);
    for (let exchange = served.dequeue(); exchange !== undefined; exchange = served.dequeue()) this.#settle(exchange, known);
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
    if (verdict.kind === 'broken') this.#discard(link, 'FunctionCrashed', verdict.error.message);
    link.streams.delete(exchange.stream);
    this.#settle(exchange, verdict.kind === 'done' ? undefined : verdict.error);
    this.#freed(link);
  }

  /** A slot is free: the oldest waiting request takes it. */
  #freed(link: InstanceLink): void {
    const now = performance.now();
    const next = this.#nextFor(link);
    if (next !== undefined) this.#dispatch(next, link, now);
    if (link.hasRoom) link.served.addFree(link);
    if (link.streams.size === 0) {
      link.idleSince = now;
      if (link.served.retired) this.#release(link, now);
    }
  }

  closed(link: InstanceLink): void {
    link.served.removeFree(link);
    this.#links.delete(link.id);
    link.served.instances -= 1;
    if (link.streams.size > 0) {
      this.#orphaned.set(link.id, link);
      setTimeout(() => this.#failOrphans(link, undefined), reasonWaitMs);
    }
    this.#activate(link.served, performance.now());
  }

  #failOrphans(link: InstanceLink, ended: Ended | undefined): void {
    this.#orphaned.delete(link.id);
    const code = ended === undefined || ended.code === 'Timeout' ? 'FunctionCrashed' : ended.code;
    const detail =
      ended?.detail ?? `the process of function "${link.served.version.function}" ended before it answered; its log has its last words`;
    for (const exchange of link.streams.values()) this.#settle(exchange, new SwiftletError(code, detail));
    link.streams.clear();
  }

  /** The caller's answer is decided; what the instance still does for it holds its slot until it is done. */
  #giveUp(exchange: Exchange, error: SwiftletError): void {
    cancel(exchange);
    exchange.abandoned = true;
    sendProblem(exchange, error);
  }

  #settle(exchange: Exchange, error: SwiftletError | undefined): void {
    if (exchange.state === 'settled') return;
    if (exchange.state === 'waiting') exchange.served.forgetWaiting();
    exchange.state = 'settled';
    this.#exchanges.delete(exchange);
    const now = performance.now();
    if (error !== undefined && !exchange.abandoned) sendProblem(exchange, error);
    if (error?.code === 'Internal') this.#means.log.error({ err: error, requestId: exchange.id }, 'a request failed for a mistake of ours');
    const outcome = error?.code ?? (exchange.abandoned ? 'ClientClosedRequest' : 'ok');
    this.#means.metrics.settled(exchange, outcome, now);
    this.#means.reports.record(exchange, outcome, now);
  }

  #onClose(exchange: Exchange): void {
    if (exchange.state === 'settled' || exchange.abandoned) return;
    exchange.abandoned = true;
    if (exchange.state === 'waiting') this.#settle(exchange, new SwiftletError('ClientClosedRequest', 'the caller hung up'));
    else cancel(exchange);
  }

  #discard(link: InstanceLink, code: ErrorCode, detail: string): void {
    link.isRetired = true;
    link.served.removeFree(link);
    this.#means.agent.notify('discard', { instanceId: link.id, code, detail });
  }

  #release(link: InstanceLink, now: number): void {
    this.#means.agent.notify('release', { instanceId: link.id, idleSinceMsAgo: now - link.idleSince });
    link.isRetired = true;
    link.close();
  }

  #retire(served: ServedFunction, successor: ServedFunction | undefined): void {
    served.retired = true;
    for (let exchange = served.dequeue(); exchange !== undefined; exchange = served.dequeue()) {
      const { version } = served;
      if (successor === undefined)
        this.#settle(exchange, new SwiftletError('FunctionNotFound', `function "${version.function}" was removed`));
      // It waited for a version that serves no more: it waits for the next one, at the place where it came in.
      else this.#place(Object.assign(exchange, { served: successor }), performance.now());
    }
    const now = performance.now();
    for (const link of this.#links.values()) if (link.served === served && link.streams.size === 0) this.#release(link, now);
  }

  #sweepOnce(now: number): void {
    for (const exchange of this.#exchanges) {
      if (now >= exchange.deadline) this.#expire(exchange);
      else if (exchange.stalledSince !== 0 && now - exchange.stalledSince > clientIdleMs) this.#cutOff(exchange);
    }
    for (const link of this.#links.values()) {
      if (link.streams.size === 0 && now - link.idleSince >= link.served.version.config.idleMs) this.#release(link, now);
    }
    for (const served of this.#served.values()) if (served.waiting > 0) this.#activate(served, now);
  }

  #expire(exchange: Exchange): void {
    const { version, lastRefusal } = exchange.served;
    const { config, function: name } = version;
    if (exchange.state === 'waiting') {
      const why = lastRefusal?.code === 'HostFull' || lastRefusal?.code === 'Unavailable' ? lastRefusal : undefined;
      this.#settle(
        exchange,
        why ??
          new SwiftletError(
            'QueueTimeout',
            `no instance of function "${name}" became free within ${config.queueTimeoutMs} ms (${exchange.served.instances} of at most ${config.maximum} run); raise "maximum", "concurrency" or "queue.timeout"`,
          ),
      );
      return;
    }
    const { link } = exchange;
    const error = new SwiftletError(
      'Timeout',
      `function "${name}" exceeded its time limit of ${config.timeoutMs} ms; raise "timeout" or do less in one request`,
    );
    if (link !== undefined) {
      link.streams.delete(exchange.stream);
      this.#discard(link, 'Timeout', error.message);
    }
    this.#settle(exchange, error);
  }

  /** A caller that neither sends nor takes has had its time. */
  #cutOff(exchange: Exchange): void {
    exchange.stalledSince = 0;
    const isSending = !exchange.request.complete;
    if (isSending && !exchange.headSent)
      this.#giveUp(exchange, new SwiftletError('RequestTimeout', `the request's body stopped coming for ${clientIdleMs} ms`));
    else exchange.response.destroy();
  }
}

function bodyLengthOf(request: IncomingMessage): number {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined) return -1;
  const length = headers['content-length'];
  return length === undefined ? 0 : Number(length);
}

function coldTotal({ phases }: Exchange): number {
  return phases === undefined ? 0 : phases.sandbox + phases.code + phases.environment + phases.network + phases.runtime + phases.init;
}
