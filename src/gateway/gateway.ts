/** The way of a request through the gateway: route, admit, activate, dispatch, reply. Everything a request waits for has a limit here. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import { collectedBytes } from '../model/limits.ts';
import { totalMs } from '../model/phases.ts';
import type { Watched } from '../wire/gateway-calls.ts';
import { type Authorizer, frame } from '../wire/instance-protocol.ts';
import { functionKey, type PublishedState } from '../wire/published-state.ts';
import type { VersionLoad } from '../wire/scale-calls.ts';
import { admit } from './request/admit.ts';
import { AgentNotices } from './instances/agent-notices.ts';
import type { Agent } from './instances/agents.ts';
import { isBad } from './instances/answers.ts';
import { addWait, begin, noteVainWait } from './request/begin.ts';
import { cancel, dispatch } from './request/dispatch.ts';
import { Exchange } from './request/exchange.ts';
import { isWhole } from './protection/fallback.ts';
import { brokeProtocol, removed } from './request/failures.ts';
import type { GatewayCounts } from './figures/metrics.ts';
import type { GatewayMeans } from './gateway-means.ts';
import { InFlight } from './request/in-flight.ts';
import { noCrashes } from './instances/crash-loop.ts';
import type { InstanceLink, LinkEvents } from './instances/instance-link.ts';
import { Links } from './instances/links.ts';
import { fromOutside, type Origin } from './doors/origin.ts';
import { agentsOfGroup } from './routing/group.ts';
import { pickVersion, wantedOf } from './routing/pick-version.ts';
import { flushHeld, receive, type Verdict } from './request/receive.ts';
import { refuse, refuseFor } from './request/reply.ts';
import { ByteBudget } from './http/byte-budget.ts';
import { bodyLengthOf } from './http/request-headers.ts';
import type { ServedVersion } from './instances/served-version.ts';
import { Serving } from './instances/serving.ts';
import { sendAhead, takeBack } from './instances/send-ahead.ts';
import { settle } from './request/settle.ts';
import { SharedAdmission } from './request/shared-admission.ts';
import type { TakenRoute } from './routing/taken-route.ts';
import { SickInstances } from './instances/sick-instances.ts';
import { payBack } from './instances/spare-slots.ts';
import { standIn } from './protection/stand-in.ts';
import { type StartEvents, Starts } from './instances/starts.ts';
import { pickPart } from './instances/version-parts.ts';
import { enforceTimeLimits, giveUp, type TimeLimitMeans } from './request/time-limits.ts';
import { endTunnels } from './web-socket/end-tunnels.ts';
import type { StartedInstance } from './instances/waited-start.ts';

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
  readonly #sick: SickInstances;
  /** What the agent tells. */
  readonly notices: AgentNotices;
  /** Undefined where this is the only gateway. */
  readonly #shared: SharedAdmission | undefined;
  /** Of answers that go out whole. */
  readonly #collected = new ByteBudget(collectedBytes);
  #isEnding = false;

  constructor(means: GatewayMeans) {
    this.#means = means;
    const meterOf = (tenant: string) => means.meters.of(tenant);
    const { agents } = means;
    this.#serving = new Serving({
      figuresOf: (version) => means.metrics.of(version),
      meterOf,
      chance: means.chance,
      partsOf: (version) => agents.partsFor(version),
    });
    const settle = (exchange: Exchange, error: SwiftletError) => this.#settle(exchange, error);
    this.#links = new Links(agents, { settle, fail: (served, error) => this.failed(served, error, undefined) });
    this.#sick = new SickInstances(this.#links);
    this.#timeLimitMeans = { settle, discard: (link, code, detail) => this.#links.discard(link, code, detail) };
    this.#starts = new Starts(agents, this);
    if (means.shared !== undefined) this.#shared = new SharedAdmission(means.shared, this.#inFlight, means.tenantInFlight);
    const { shared } = means;
    this.notices = new AgentNotices({ agents, links: this.#links, starts: this.#starts, serving: this.#serving, shared });
    this.#sweep = setInterval(() => this.#sweepOnce(performance.now()), sweepEveryMs);
  }

  get holds(): string[] {
    return this.#links.ids;
  }

  /** Those of one agent, and of each how many slots. */
  heldOf(agent: Agent): { readonly instanceIds: string[]; readonly slots: number[] } {
    return this.#links.heldOf(agent);
  }

  get counts(): Pick<GatewayCounts, 'inFlight' | 'connections' | 'waiting'> {
    return { inFlight: this.#inFlight.size, connections: this.#inFlight.connections, waiting: this.#serving.waiting };
  }

  /** Takes a new state: new requests go to the serving versions, those under way end where they are. */
  applyState(state: PublishedState): void {
    this.#means.access.take(state);
    this.#means.meters.take(state);
    this.#shared?.take(state);
    for (const served of this.#serving.take(state)) this.#retire(served);
  }

  /** The version that stands for a function. */
  find(key: string): Version | undefined {
    return this.#serving.find(key);
  }

  /** Whether requests can go to a function, or an alias. @param key its own */
  serves(key: string): boolean {
    return this.#serving.serves(key);
  }

  /** Why a request is for none of the agents here, by its groups. @param headers its own */
  misplaced(version: Version, headers: IncomingHttpHeaders): SwiftletError | undefined {
    const found = this.#agentsOf(version, headers);
    return found instanceof SwiftletError ? found : undefined;
  }

  #agentsOf({ tenant, function: name, config: { groups } }: Version, headers: IncomingHttpHeaders): readonly Agent[] | SwiftletError {
    const { all } = this.#means.agents;
    return groups === undefined ? all : agentsOfGroup(name, groups, all, headers, functionKey(tenant, name));
  }

  /** The part of a version that has the agents which a request is for. */
  #partFor(served: ServedVersion, headers: IncomingHttpHeaders): ServedVersion | SwiftletError {
    const found = this.#agentsOf(served.version, headers);
    if (found instanceof SwiftletError || served.others.length === 0) return found instanceof SwiftletError ? found : served;
    return pickPart([served, ...served.others], new Set(found.map(({ number }) => number)), this.#means.chance) ?? served;
  }

  /** How the versions of a function did since they are watched. */
  watched(key: string): Watched {
    return this.#serving.watched(key);
  }

  /** What the versions had to do that had anything lately. */
  loads(): VersionLoad[] {
    return this.#serving.loads(performance.now());
  }

  /**
   * Takes a request for a function, from its admission to its end.
   * @param key the function's or its alias's, as `route` gives it
   * @param isTrusted whether its caller has shown the right to invoke the function
   * @param sourceIp, id the caller's address, and the invocation's id: others than the request itself has when it brings a stored event
   * @param origin what caused it
   * @param taken the route by which it came, if one did
   * @param authorizer what its caller has shown, where the function wants to know
   */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    key: string,
    name: string,
    kind: number,
    target: string,
    isTrusted: boolean,
    sourceIp = request.socket.remoteAddress ?? '',
    id: string = randomUUID(),
    origin: Origin = fromOutside,
    taken?: TakenRoute,
    authorizer?: Authorizer,
  ): void {
    const cameAt = this.#means.tracing === undefined ? 0 : performance.now();
    const picked = pickVersion(this.#serving, key, name, request.headers, isTrusted, this.#means.access);
    const isGrouped = !(picked instanceof SwiftletError) && picked.version.config.groups !== undefined;
    const served = isGrouped ? this.#partFor(picked, request.headers) : picked;
    if (served instanceof SwiftletError) {
      this.refuse(request, response, id, served);
      return;
    }
    const wanted = wantedOf(key, served, request.headers);
    const now = performance.now();
    const until = now + served.version.config.queueTimeoutMs;
    const bodyLength = bodyLengthOf(request);
    const exchange = new Exchange(request, response, id, served, kind, target, sourceIp, bodyLength, now, until, wanted, origin);
    exchange.taken = taken;
    exchange.authorizer = authorizer;
    this.#enter(exchange, now, cameAt);
  }

  #enter(exchange: Exchange, now: number, cameAt: number): void {
    if (this.#shared?.holdsBack(exchange, (at) => this.#enter(exchange, at, cameAt)) === true) return;
    const { served } = exchange;
    exchange.trace = this.#means.tracing?.begin(exchange, cameAt);
    const shared = this.#shared?.found(exchange);
    const refusal = admit(exchange, this.#inFlight.of(served.version.tenant), this.#means.tenantInFlight, now, shared);
    if (refusal !== undefined) {
      served.figures.refused(refusal.code);
      if (!this.#handOn(exchange, refusal, now)) refuseFor(exchange, refusal);
      exchange.trace?.end(exchange, refusal.code, now);
      return;
    }
    this.#inFlight.add(exchange);
    served.entered(now);
    exchange.response.once('close', () => this.#onClose(exchange));
    this.#place(exchange, now);
  }

  /** Lets another function answer for one that cannot, if that is its fallback. @returns whether it does */
  #handOn(failed: Exchange, { code }: SwiftletError, now: number): boolean {
    const other = standIn(failed, code, this.#serving, now);
    if (other !== undefined) this.#enter(other, now, now);
    return other !== undefined;
  }

  /** Answers a request that is for no function, with problem details. */
  refuse(request: IncomingMessage, response: ServerResponse, id: string, error: SwiftletError): void {
    this.#means.metrics.refused(error.code);
    refuse(request, response, id, error);
  }

  /** Answers what is in flight, each as the last on its connection. @returns once nothing is, or its time is over */
  async drain(graceOver: AbortSignal): Promise<void> {
    this.#isEnding = true;
    for (const { response } of this.#inFlight.all()) if (!response.headersSent) response.setHeader('connection', 'close');
    using _tunnels = endTunnels(() => this.#inFlight.all());
    // Looked at after a while at the earliest: what callers have just sent on open connections is still to be read.
    do await pause(sweepEveryMs, undefined, { signal: graceOver }).catch(() => undefined);
    while (this.#inFlight.size + (this.#shared?.asking ?? 0) > 0 && !graceOver.aborted);
    clearInterval(this.#sweep);
    this.#links.close();
    this.#starts.close();
  }

  /** Hands a request to a free instance, or lets it wait for one. */
  #place(exchange: Exchange, now: number): void {
    const { served } = exchange;
    const link = served.pick();
    if (link === undefined) {
      served.enqueue(exchange);
      this.#starts.activate(served, now, exchange.id);
    } else this.#dispatch(exchange, link, now);
  }

  #dispatch(exchange: Exchange, link: InstanceLink, now: number): void {
    begin(exchange, link, now);
    dispatch(exchange, link, now, giveUp);
    if (!link.hasRoom) exchange.served.removeFree(link);
  }

  connected(link: InstanceLink): void {
    sendAhead(link, performance.now());
  }

  started(link: InstanceLink, start: StartedInstance | undefined): void {
    const now = performance.now();
    this.#links.add(link);
    for (const exchange of link.streams.values()) {
      exchange.served.forgetWaiting();
      addWait(exchange, start, now);
      begin(exchange, link, now);
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

  grew(instanceId: string, slots: number): boolean {
    const now = performance.now();
    const link = this.#links.grow(instanceId, slots, now);
    if (link?.state === 'open') this.#fill(link, now);
    return link !== undefined;
  }

  /** Hands out its free slots to those who wait. */
  #fill(link: InstanceLink, now: number): void {
    for (let next = this.#nextFor(link); next !== undefined; next = this.#nextFor(link)) this.#dispatch(next, link, now);
    this.#rest(link, now);
  }

  failed(served: ServedVersion, error: SwiftletError, ahead: InstanceLink | undefined, start?: StartedInstance): void {
    const fail = (exchange: Exchange) => {
      noteVainWait(exchange, start, performance.now());
      this.#settle(exchange, error);
    };
    for (const exchange of ahead?.streams.values() ?? []) fail(exchange);
    ahead?.close();
    // Who waits has his turn at those that serve. Counted out when it is settled, and not twice: the next one would not be started for.
    const next = () => (served.instances > 0 ? undefined : served.takeAhead());
    for (let exchange = next(); exchange !== undefined; exchange = next()) fail(exchange);
  }

  putOff(served: ServedVersion, ahead: InstanceLink | undefined): void {
    if (ahead !== undefined) takeBack(ahead, (exchange, error) => this.#settle(exchange, error));
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
    if (type === frame.call && this.#means.calls.take(exchange, payload)) return;
    const heldBefore = exchange.headSent || exchange.head !== undefined;
    const verdict = receive(exchange, type, payload, this.#collected);
    if (!heldBefore && exchange.head !== undefined && verdict.kind === 'goesOn') this.#held.push(exchange);
    if (this.#isEnding && !heldBefore) exchange.tunnel?.goAway();
    if (verdict.kind !== 'goesOn') this.#conclude(link, exchange, verdict);
  }

  turn(): void {
    for (const exchange of this.#held) if (exchange.state === 'dispatched') flushHeld(exchange);
    this.#held.length = 0;
  }

  #conclude(link: InstanceLink, exchange: Exchange, verdict: Exclude<Verdict, { kind: 'goesOn' }>): void {
    const now = performance.now();
    if (verdict.kind === 'broken') this.#links.discardBroken(link, verdict.error.message, now);
    else if (exchange.served.crashes !== noCrashes) exchange.served.crashes = noCrashes;
    link.streams.delete(exchange.stream);
    link.answers.ended((exchange.openedAt || now) - exchange.dispatchedAt, isBad(exchange, verdict), link.streams.size, now);
    this.#settle(exchange, verdict.kind === 'done' ? undefined : verdict.error, now);
    if (link.served.owed > 0 && link.state === 'open') payBack(this.#links, link, now);
    const next = this.#nextFor(link);
    if (next !== undefined) this.#dispatch(next, link, now);
    this.#rest(link, now);
  }

  /** Nobody waits for the slots that it has free. */
  #rest(link: InstanceLink, now: number): void {
    if (link.hasRoom) link.served.addFree(link);
    if (link.streams.size > 0) return;
    link.idleSince = now;
    if (this.#links.endSick(link)) return;
    if (link.served.retired || link.state === 'retired') this.#links.release(link, now);
  }

  broke(link: InstanceLink): void {
    this.#links.discardBroken(link, brokeProtocol(link.served.version), performance.now());
  }

  closed(link: InstanceLink, wasRetired: boolean): void {
    const now = performance.now();
    this.#links.lost(link, wasRetired, now);
    this.#starts.activate(link.served, now);
  }

  #settle(exchange: Exchange, error: SwiftletError | undefined, now = performance.now()): void {
    if (exchange.state === 'settled') return;
    if (exchange.state !== 'dispatched') {
      exchange.served.forgetWaiting();
      exchange.queueMs = Math.max(0, now - exchange.arrivedAt - totalMs(exchange.waitedStart?.waited));
    } else exchange.served.load.ended(now);
    this.#inFlight.delete(exchange);
    exchange.served.left();
    const isHandedOn = error !== undefined && isWhole(exchange) && this.#handOn(exchange, error, now);
    settle(exchange, error, isHandedOn, this.#means, now);
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
    const now = performance.now();
    for (let exchange = served.takeAhead(); exchange !== undefined; exchange = served.takeAhead()) {
      const whole = this.#serving.successor(exchange.wanted, exchange.request.headers);
      const successor = whole === undefined ? removed(served.version, exchange.wanted) : this.#partFor(whole, exchange.request.headers);
      if (successor instanceof SwiftletError) this.#settle(exchange, successor);
      else this.#place(served.handOver(exchange, successor, now), now);
    }
    this.#links.releaseIdleOf(served, now);
    if (this.#serving.find(served.key) === undefined) this.#means.metrics.forget(served.version);
  }

  #sweepOnce(now: number): void {
    for (const exchange of this.#inFlight.all()) enforceTimeLimits(exchange, now, this.#timeLimitMeans);
    this.#links.releaseIdle(now);
    this.#sick.sweep(now);
    this.#starts.sweep(this.#serving.all, now);
    this.#means.agents.sweep(now);
  }
}
