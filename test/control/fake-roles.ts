/** Stand-ins for the other roles: they answer what control asks them, from tables that a test can change. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SwiftletError } from '../../src/model/errors.ts';
import type { ProvisionedStatus } from '../../src/wire/agent-calls.ts';
import { socketOf, stateSocketOf } from '../../src/role/role-config.ts';
import type { Warmth } from '../../src/wire/agent-calls.ts';
import { type CallServer, type Peer, serveCalls } from '../../src/wire/calls.ts';
import type { Watched } from '../../src/wire/gateway-calls.ts';
import type { PublishedState } from '../../src/wire/published-state.ts';
import { type SecretsNotice, secretsSchema, type SecretUse } from '../../src/wire/secret-calls.ts';
import type { UsageRow } from '../../src/wire/relay-calls.ts';
import { type Loads, targetsSchema, type VersionCapacity, type VersionTarget } from '../../src/wire/scale-calls.ts';
import { type StateSubscriber, subscribeState } from '../../src/wire/state-subscriber.ts';

export const instanceOf = (name: string) => ({
  instanceId: 'i-1',
  tenant: 'default',
  function: name,
  version: 1,
  state: 'idle',
  provisioned: false,
  startedAt: '2026-01-02T03:04:05.000Z',
  memoryBytes: 1,
  pid: 42,
});

export class FakeRoles implements AsyncDisposable {
  /** The relay's records. */
  readonly lines: string[] = [];
  readonly forgotten: string[] = [];
  /** What control told a gateway beside its state, newest first. */
  readonly heard: [method: string, body: unknown][] = [];
  /** The relay's reports that outlast the log, and what functions used. */
  readonly kept: string[] = [];
  usage: UsageRow[] = [];
  /** What the relay was asked of usage. */
  readonly usageAsked: unknown[] = [];
  found: { function: string; line: string } | undefined;
  instances: ReturnType<typeof instanceOf>[] = [];
  provisioned: ProvisionedStatus[] = [];
  ready = true;
  /** What the agent was told of secrets, and with which values it says that instances run. */
  readonly secrets: SecretsNotice[] = [];
  /** What the events role was. */
  readonly eventSecrets: SecretsNotice[] = [];
  secretUse: SecretUse = { current: 0, older: 0 };
  /** What the agent says of a version's instances, and the gateway of a function's versions. */
  warmth: (number: number) => Warmth = () => ({ ready: 1 });
  watched: Watched = { versions: [] };
  /** What the gateway says of versions' load, and the agent of its instances; and what the agent was told last. */
  loads: Loads = { process: 'one', loads: [] };
  capacity: VersionCapacity[] = [];
  targets: readonly VersionTarget[] = [];
  /** What the event log answers, by call, and what it was asked. */
  events: Readonly<Record<string, unknown>> = {};
  readonly askedEvents: [method: string, body: unknown][] = [];
  /** What an agent does before it says that it acts on a state. */
  place: (state: PublishedState) => Promise<void> | void = () => undefined;
  readonly #run: string;
  readonly #servers = new Map<string, CallServer>();
  readonly #followers = new Map<string, Peer>();
  readonly #subscribers: StateSubscriber[] = [];

  constructor(run: string) {
    this.#run = run;
  }

  get followers(): number {
    return this.#followers.size;
  }

  get state(): PublishedState | undefined {
    return this.#subscribers[0]?.state;
  }

  async start(): Promise<void> {
    for (const role of ['gateway', 'agent', 'relay', 'events'] as const) {
      mkdirSync(join(this.#run, role), { recursive: true });
      this.#servers.set(role, await serveCalls(socketOf(this.#run, role), role, this.#handlers(role)));
    }
  }

  /** Follows control's state, as an agent and a gateway do. */
  subscribe(): void {
    const socket = stateSocketOf(this.#run);
    this.#subscribers.push(
      subscribeState(socket, 'agent', (state) => this.place(state)),
      subscribeState(
        socket,
        'gateway',
        () => undefined,
        (method, body) => this.heard.unshift([method, body]),
      ),
    );
  }

  /** Whether all who follow control's state have it. */
  get isFollowing(): boolean {
    return this.#subscribers.every(({ isFollowing }) => isFollowing);
  }

  async stop(role: 'gateway' | 'agent' | 'relay' | 'events'): Promise<void> {
    await this.#servers.get(role)?.[Symbol.asyncDispose]();
    this.#servers.delete(role);
  }

  async restart(role: 'agent'): Promise<void> {
    this.#servers.set(role, await serveCalls(socketOf(this.#run, role), role, this.#handlers(role)));
  }

  /** A function writes. */
  log(line: string): void {
    this.lines.push(line);
    for (const [id, peer] of this.#followers) peer.notify('lines', { id, lines: [line] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscriber of this.#subscribers) await subscriber[Symbol.asyncDispose]();
    for (const server of this.#servers.values()) await server[Symbol.asyncDispose]();
  }

  #handlers(role: string) {
    return {
      ask: (method: string, body: unknown, peer: Peer) => this.#answer(role, method, body, peer),
      notice: (method: string, body: unknown) => {
        if (method === 'targets') this.targets = targetsSchema.parse(body).targets;
        if (method === 'unfollow') this.#followers.delete((body as { id: string }).id);
      },
    };
  }

  #answerEvents(method: string, body: unknown): unknown {
    this.askedEvents.push([method, body]);
    if (Object.hasOwn(this.events, method)) return this.events[method];
    throw new SwiftletError('EventNotFound', 'there is no such event');
  }

  #answer(role: string, method: string, body: unknown, peer: Peer): unknown {
    const ready = this.ready || role !== 'agent';
    if (method === 'health') return { ready, detail: ready ? 'serves' : 'has no sandbox yet' };
    if (method === 'metrics') return { text: `# TYPE swiftlet_${role}_things gauge\nswiftlet_${role}_things 1\n` };
    if (method === 'secrets') {
      (role === 'events' ? this.eventSecrets : this.secrets).push(secretsSchema.parse(body));
      return {};
    }
    if (role === 'events') return this.#answerEvents(method, body);
    if (method === 'instances') return this.instances;
    if (method === 'provisioned') return this.provisioned;
    if (method === 'warmth') return this.warmth((body as { number: number }).number);
    if (method === 'watched') return this.watched;
    if (method === 'secretUse') return this.secretUse;
    if (method === 'builds') return { available: false, detail: 'this is a test' };
    if (method === 'loads') return this.loads;
    if (method === 'capacity') return this.capacity;
    if (method === 'isolation') return { mode: 'bubblewrap', facts: [{ means: 'namespaces', inForce: true, detail: 'all' }] };
    if (method === 'read') return { lines: this.lines.slice(-(body as { last: number }).last) };
    if (method === 'kept') return { lines: this.kept.slice(-(body as { last: number }).last) };
    if (method === 'trace') return { found: this.found };
    if (method === 'usage') {
      this.usageAsked.push(body);
      return { rows: this.usage.slice(0, (body as { limit: number }).limit) };
    }
    if (method === 'follow') this.#followers.set((body as { id: string }).id, peer);
    if (method === 'forget') this.forgotten.push((body as { function: string }).function);
    return {};
  }
}
