/** A gateway between a real HTTP server and an agent and an instance that are in the test's hands. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Access } from '../../src/gateway/protection/access.ts';
import { CallGraph } from '../../src/gateway/calls/call-graph.ts';
import { type FunctionCallMeans, FunctionCalls } from '../../src/gateway/calls/function-calls.ts';
import { Gateway } from '../../src/gateway/gateway.ts';
import { Agents } from '../../src/gateway/instances/agents.ts';
import type { InnerRequests } from '../../src/gateway/doors/inner-requests.ts';
import { GatewayMetrics } from '../../src/gateway/figures/metrics.ts';
import { fromOutside, type Origin } from '../../src/gateway/doors/origin.ts';
import { Reports } from '../../src/gateway/figures/reports.ts';
import { TenantMeters } from '../../src/gateway/protection/tenant-meters.ts';
import { UsageBatch } from '../../src/gateway/figures/usage-batch.ts';
import { sumOf } from '../../src/relay/usage-store.ts';
import { type FunctionConfig, functionConfigSchema, type Version } from '../../src/model/function.ts';
import { noLabels } from '../../src/model/groups.ts';
import { noPhases } from '../../src/model/phases.ts';
import type { Acquire, AcquiredInstance } from '../../src/wire/agent-calls.ts';
import type { CallClient } from '../../src/wire/calls.ts';
import { encodeFrame, FrameDecoder } from '../../src/wire/frames.ts';
import { frame, invokeKind } from '../../src/wire/instance-protocol.ts';
import { emptyState, functionKey } from '../../src/wire/published-state.ts';
import { Identities } from '../../src/wire/identities.ts';
import { JwtCallers } from '../../src/gateway/protection/jwt-callers.ts';
import { type UsageCounts, usageCountsSchema } from '../../src/wire/relay-calls.ts';

interface Came {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A queue that is awaited. */
class Mailbox<T> {
  readonly #came: T[] = [];
  readonly #waiting: ((value: T) => void)[] = [];

  put(value: T): void {
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#came.push(value);
    else taker(value);
  }

  take(): Promise<T> {
    const first = this.#came.shift();
    return first === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(first);
  }

  get length(): number {
    return this.#came.length;
  }
}

/** What an instance says at its end: microseconds in the handler, KiB of memory. */
export function done(handlerMs: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(handlerMs * 1000, 0);
  return bytes;
}

/** An instance that says what the test makes it say. */
export class FakeInstance {
  readonly frames = new Mailbox<Came>();
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      const decoder = new FrameDecoder((type, stream, payload) => this.frames.put({ type, stream, payload: Buffer.from(payload) }));
      socket.on('data', (chunk: Buffer) => decoder.push(chunk));
      socket.on('error', () => undefined);
    }).listen(path);
  }

  send(type: number, stream: number, payload: Buffer | string = ''): void {
    for (const socket of this.#sockets) socket.write(encodeFrame(type, stream, payload));
  }

  answer(stream: number, body: string, handlerMs = 0): void {
    this.send(frame.head, stream, JSON.stringify([200, []]));
    this.send(frame.responseBody, stream, body);
    this.send(frame.done, stream, done(handlerMs));
  }

  /** @returns whether all that was sent has been taken, once it has or the time is over */
  async drained(limitMs = 10_000): Promise<boolean> {
    const until = performance.now() + limitMs;
    const isOut = () => [...this.#sockets].every(({ writableLength }) => writableLength === 0);
    while (!isOut() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
    return isOut();
  }

  stopReading(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** A question of the gateway to the agent, for the test to answer. */
export interface Asked {
  readonly order: Acquire;
  readonly resolve: (answer: AcquiredInstance) => void;
  readonly reject: (error: Error) => void;
}

/** A notice to the agent. */
export interface Told {
  readonly method: string;
  readonly body: unknown;
}

const tenants = ['default', 'other'];

export class GatewayUnderTest implements AsyncDisposable {
  readonly asked = new Mailbox<Asked>();
  /** What the agent was told. */
  readonly told = new Mailbox<Told>();
  /** What decides between versions, from 0 to 1. */
  chance = 0;
  /** What causes the requests that are sent. */
  origin: Origin = fromOutside;
  readonly gateway: Gateway;
  readonly calls: FunctionCalls;
  readonly graph = new CallGraph(0);
  /** What functions that are called answer, and where events go that functions send. */
  inner: InnerRequests['send'] = () => Promise.reject(new Error('nothing is called here'));
  store: FunctionCallMeans['store'] = () => Promise.reject(new Error('nothing is stored here'));
  readonly metrics: GatewayMetrics;
  readonly #folder = mkdtempSync(join(tmpdir(), 'swiftlet-gateway-'));
  readonly #instances: FakeInstance[] = [];
  readonly #http;
  readonly #listening: Promise<unknown>;
  readonly #parts: Disposable[];
  readonly #reports: Reports;
  readonly #sent: Sent[] = [];

  constructor({ tenantInFlight = 100, ...config }: { readonly tenantInFlight?: number } & Partial<FunctionConfig> = {}) {
    const agent = {
      ...silentClient((order) => new Promise((resolve, reject) => this.asked.put({ order, resolve, reject }))),
      notify: (method: string, body: unknown) => this.told.put({ method, body }),
    };
    const relay = silentClient(
      () => Promise.resolve(null),
      (sent) => this.#sent.push(sent),
    );
    const reports = new Reports(relay);
    this.#reports = reports;
    const metrics = new GatewayMetrics(() => ({ inFlight: 0, connections: 0, waiting: 0, instances: 0, droppedReports: 0 }));
    this.metrics = metrics;
    this.#parts = [reports];
    const access = new Access('public', new Identities(() => undefined), new JwtCallers(() => undefined), () => Date.now());
    const calls = new FunctionCalls({
      inner: { send: (inner, takes, signal) => this.inner(inner, takes, signal) },
      store: (event) => this.store(event),
      graph: this.graph,
      log: pino({ enabled: false }),
    });
    this.calls = calls;
    this.gateway = new Gateway({
      tracing: undefined,
      access,
      meters: new TenantMeters(),
      agents: new Agents([{ number: 0, labels: noLabels, client: agent }], () => this.chance),
      reports,
      metrics,
      calls,
      tenantInFlight,
      chance: () => this.chance,
      log: pino({ enabled: false }),
    });
    const functions = new Map(
      tenants.map((tenant) => [functionKey(tenant, 'f'), { ...version, tenant, config: { ...version.config, ...config } }]),
    );
    this.gateway.applyState({ ...emptyState, revision: 1, functions });
    this.#http = createHttpServer((request, response) => {
      const [, tenant = '', name = 'f'] = (request.url ?? '').split('/');
      this.gateway.handle(
        request,
        response,
        functionKey(tenant, name),
        name,
        invokeKind.http,
        '/',
        false,
        undefined,
        undefined,
        this.origin,
      );
    }).listen(0, '127.0.0.1');
    this.#listening = once(this.#http, 'listening');
  }

  instance(): FakeInstance {
    const instance = new FakeInstance(join(this.#folder, `${this.#instances.length}.sock`));
    this.#instances.push(instance);
    return instance;
  }

  async url(): Promise<string> {
    await this.#listening;
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Connections of callers that are open at the gateway's end. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => this.#http.getConnections((error, count) => (error === null ? resolve(count) : reject(error))));
  }

  /** Resolves when no request is in flight. */
  async atRest(): Promise<void> {
    while (this.gateway.counts.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Resolves when so many requests are in flight. */
  async inFlight(count: number): Promise<void> {
    while (this.gateway.counts.inFlight < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** What has been sent to the relay so far. */
  reported(): { logged: string[]; kept: string[]; usage: UsageCounts } {
    this.#reports.flush();
    const linesOf = (method: string) =>
      this.#sent.filter((sent) => sent.method === method).flatMap(({ text }) => text.split('\n').filter(Boolean));
    const batches = this.#sent.flatMap(({ body }) => ('usage' in body ? [usageCountsSchema.parse(body.usage)] : []));
    return { logged: linesOf('append'), kept: linesOf('keep'), usage: batches.reduce(sumOf, new UsageBatch('').counts) };
  }

  /** @param name the function's, or its alias's: `f:beta` */
  async call(init: RequestInit = {}, tenant = 'default', name = 'f'): Promise<Response> {
    return fetch(`${await this.url()}/${tenant}/${name}`, init);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    await this.gateway.drain(AbortSignal.abort());
    for (const part of this.#parts) part[Symbol.dispose]();
    for (const instance of this.#instances) instance.end();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Calls, and lets the sandbox be there in which an instance starts for the call. */
export async function startedFor(tested: GatewayUnderTest, init: RequestInit = {}) {
  const instance = tested.instance();
  const response = tested.call(init);
  const asked = await tested.asked.take();
  tested.gateway.notices.starting({ instanceId: asked.order.instanceId, socketPath: instance.path });
  return { instance, response, asked };
}

export async function problemCode(response: Promise<Response>): Promise<unknown> {
  return ((await (await response).json()) as { code: unknown }).code;
}

export const acquired = ({ order }: Asked, { path }: FakeInstance): AcquiredInstance => ({
  instanceId: order.instanceId,
  socketPath: path,
  slots: 1,
  start: 'cold',
  spans: [
    { phase: 'sandbox', atMs: 0, ms: 3 },
    { phase: 'init', atMs: 3, ms: 7 },
  ],
  prepaid: { ...noPhases, sandbox: 40 },
  isProvisioned: false,
  idleLimitMs: 60_000,
  leaseMs: 1_000,
});

export const version: Version = {
  tenant: 'default',
  function: 'f',
  number: 1,
  digest: '0'.repeat(64),
  createdAt: new Date(0).toISOString(),
  config: functionConfigSchema.parse({ runtime: 'nodejs26', handler: 'index', initTimeoutMs: 1_000 }),
} as Version;

interface Sent {
  readonly method: string;
  readonly body: object;
  readonly text: string;
}

function silentClient(ask: (order: Acquire) => Promise<unknown>, onText: (sent: Sent) => void = () => undefined): CallClient {
  return {
    connected: true,
    ask: (_method, body) => ask(body as Acquire),
    notify: () => undefined,
    notifyText: (method, body, text) => onText({ method, body, text: text.toString() }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
