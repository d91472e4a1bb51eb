/** Control's view of the other roles: whether they can serve, what they measure, what runs. None of it is on a request's way. */
import type { z } from 'zod';
import type { Version } from '../model/function.ts';
import {
  bundleAnswerSchema,
  type CustomPoolStatus,
  type BundleAnswer,
  type BuildsAnswer,
  buildsSchema,
  type InstanceSummary,
  type IsolationAnswer,
  isolationSchema,
  type NetworkCounts,
  privateNetworkAnswerSchema,
  type PrivateNetworkState,
  type ProvisionedStatus,
  type Warmth,
} from '../wire/agent-calls.ts';
import type { CallClient } from '../wire/calls.ts';
import type { FunctionCalls, Watched } from '../wire/gateway-calls.ts';
import {
  type FunctionLag,
  lagsSchema,
  type lagsQuerySchema,
  type Loads,
  type targetsSchema,
  type VersionCapacity,
  type VersionTarget,
} from '../wire/scale-calls.ts';
import type { SecretUse } from '../wire/secret-calls.ts';
import { healthAnswerSchema, metricsAnswerSchema } from '../wire/role-calls.ts';
import type { Agents } from './agents.ts';
import type { Gateways } from './gateways.ts';
import type { RoleHealth } from './role-health.ts';
import { unlessOlder, whenAway } from './when-away.ts';

export const otherRoles = ['gateway', 'agent', 'relay', 'events'] as const;
export type OtherRole = (typeof otherRoles)[number];

const nameOf: Readonly<Record<OtherRole, string>> = {
  gateway: 'gateway',
  agent: 'agent',
  relay: 'relay',
  events: 'event log',
};

const healthLimitMs = 1_000;
const healthAgeMs = 500;
const metricsLimitMs = 3_000;
const eventsLimitMs = 2_000;

/** Of roles that there is one of. */
type Clients = Readonly<Record<Exclude<OtherRole, 'gateway' | 'agent'>, CallClient>>;

export class Roles {
  readonly #clients: Clients;
  readonly #gateways: Gateways;
  readonly #agents: Agents;
  readonly #now: () => number;
  #health: { readonly at: number; readonly answer: Promise<Record<OtherRole, RoleHealth>> } | undefined;

  constructor(gateways: Gateways, agents: Agents, clients: Clients, now: () => number) {
    this.#gateways = gateways;
    this.#agents = agents;
    this.#clients = clients;
    this.#now = now;
  }

  /** Whether each can serve; at most half a second old. */
  health(): Promise<Record<OtherRole, RoleHealth>> {
    if (this.#health === undefined || this.#now() - this.#health.at > healthAgeMs) {
      this.#health = { at: this.#now(), answer: this.#askHealth() };
    }
    return this.#health.answer;
  }

  /** Each role's own part of the metrics; undefined for one that is away or gives no answer. */
  metrics(): Promise<Record<OtherRole, string | undefined>> {
    return this.#each<string | undefined>(
      async (role) => (this.#isThere(role) ? await this.metricsOf(role) : undefined),
      () => undefined,
    );
  }

  /** @throws SwiftletError Unavailable while the role is away */
  async metricsOf(role: OtherRole): Promise<string> {
    if (role === 'gateway') return this.#gateways.metrics(metricsLimitMs);
    if (role === 'agent') return this.#agents.metrics(metricsLimitMs);
    return metricsAnswerSchema.parse(await this.#clients[role].ask('metrics', {}, metricsLimitMs)).text;
  }

  /**
   * Asks the event log.
   * @throws SwiftletError EventNotFound, or Unavailable while it is away
   */
  askEvents(method: string, body: object, limitMs = eventsLimitMs): Promise<unknown> {
    return this.#clients.events.ask(method, body, limitMs);
  }

  /** What runs; undefined while no agent is there. */
  instances(): Promise<InstanceSummary[] | undefined> {
    return this.#agents.instances();
  }

  /** How the instances are that functions want at all times; empty while no agent is there. */
  provisioned(): Promise<ProvisionedStatus[]> {
    return this.#agents.provisioned();
  }

  /** What a function's connections came to; undefined where functions have no network, and while no agent is there. */
  networkCounts(tenant: string, name: string): Promise<NetworkCounts | undefined> {
    return this.#agents.networkCounts(tenant, name);
  }

  /** What became of a version's code; undefined while no agent is there, or knows the version or the question. */
  async bundle(tenant: string, name: string, number: number): Promise<BundleAnswer> {
    if (!this.#agents.connected) return {};
    const answer = await this.#agents.askOne('bundle', { tenant, function: name, number }).catch(unlessOlder);
    return answer === undefined ? {} : bundleAnswerSchema.parse(answer);
  }

  /** How the tunnels of a private network are; undefined where functions have no network, and while the agent is away that has them. */
  async privateNetwork(tenant: string, name: string): Promise<PrivateNetworkState | undefined> {
    const answer = await this.#agents.askFirst('privateNetwork', { tenant, name }).catch(whenAway);
    return answer === undefined ? undefined : privateNetworkAnswerSchema.parse(answer).network;
  }

  /** The warm sandboxes of a custom pool at all agents; undefined when nothing that is published uses it, and while no agent is there. */
  customPool(tenant: string, name: string): Promise<CustomPoolStatus | undefined> {
    return this.#agents.customPool(tenant, name);
  }

  /** What holds for all agents, which share a machine. @throws SwiftletError Unavailable while none is there */
  async isolation(): Promise<IsolationAnswer> {
    return isolationSchema.parse(await this.#agents.askOne('isolation', {}));
  }

  /** Whether dependencies can be installed on the host; undefined while the agent is away that does it. */
  async builds(): Promise<BuildsAnswer | undefined> {
    const answer = await this.#agents.askFirst('builds', {}).catch(unlessOlder);
    return answer === undefined ? undefined : buildsSchema.parse(answer);
  }

  /** How many instances of a version can take requests; undefined while no agent is there. */
  warmth(tenant: string, name: string, number: number): Promise<Warmth | undefined> {
    return this.#agents.warmth(tenant, name, number);
  }

  /** With which values of a secret instances run; undefined while no agent is there. */
  secretUse(tenant: string, name: string): Promise<SecretUse | undefined> {
    return this.#agents.secretUse(tenant, name);
  }

  /** What gateways counted of a function's versions; undefined while none is there. */
  watched(tenant: string, name: string): Promise<Watched | undefined> {
    return this.#gateways.watched(tenant, name);
  }

  /**
   * Which functions this one called, and which called it.
   * @throws SwiftletError Unavailable while no gateway is there
   */
  calls(tenant: string, name: string): Promise<FunctionCalls> {
    return this.#gateways.calls(tenant, name);
  }

  /** What versions had to do lately; undefined while no gateway is there. */
  loads(): Promise<Loads | undefined> {
    return this.#gateways.loads();
  }

  /** What there is of each version; undefined while no agent is there. */
  capacity(): Promise<VersionCapacity[] | undefined> {
    return this.#agents.capacity();
  }

  /** How many messages wait for functions, as far as their sources' servers tell; undefined while the event log is away. */
  async lags(functions: z.output<typeof lagsQuerySchema>['functions']): Promise<FunctionLag[] | undefined> {
    const { events } = this.#clients;
    if (!events.connected) return undefined;
    const answer = await events.ask('lags', { functions }, eventsLimitMs).catch(whenAway);
    return answer === undefined ? undefined : lagsSchema.parse(answer);
  }

  /** Tells agents how many instances versions are to have. @param find a version that serves */
  tellTargets(targets: z.input<typeof targetsSchema>, find: (version: VersionTarget) => Version | undefined): void {
    this.#agents.tellTargets(targets, find);
  }

  #isThere(role: OtherRole): boolean {
    if (role === 'gateway') return this.#gateways.connected;
    return role === 'agent' ? this.#agents.connected : this.#clients[role].connected;
  }

  /** How each gateway is, in their order. */
  gateways(): Promise<RoleHealth[]> {
    return this.#gateways.each(healthLimitMs);
  }

  #askHealth(): Promise<Record<OtherRole, RoleHealth>> {
    return this.#each(
      async (role) => {
        if (role === 'gateway') return this.#gateways.health(healthLimitMs);
        if (role === 'agent') return this.#agents.health(healthLimitMs);
        const client = this.#clients[role];
        return client.connected
          ? healthAnswerSchema.parse(await client.ask('health', {}, healthLimitMs))
          : { ready: false, detail: `the ${nameOf[role]} is away` };
      },
      (role, error) => ({ ready: false, detail: error instanceof Error ? error.message : `the ${nameOf[role]} gave no answer` }),
    );
  }

  async #each<T>(ask: (role: OtherRole) => Promise<T>, failed: (role: OtherRole, error: unknown) => T): Promise<Record<OtherRole, T>> {
    const one = (role: OtherRole) => ask(role).catch((error: unknown) => failed(role, error));
    const [gateway, agent, relay, events] = await Promise.all([one('gateway'), one('agent'), one('relay'), one('events')]);
    return { gateway, agent, relay, events };
  }
}
