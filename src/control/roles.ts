/** Control's view of the other roles: whether they can serve, what they measure, what runs. None of it is on a request's way. */
import type { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import {
  bundleAnswerSchema,
  customPoolAnswerSchema,
  type CustomPoolStatus,
  type BundleState,
  type BuildsAnswer,
  buildsSchema,
  type InstanceSummary,
  instancesSchema,
  type IsolationAnswer,
  isolationSchema,
  networkAnswerSchema,
  type NetworkCounts,
  privateNetworkAnswerSchema,
  type PrivateNetworkState,
  provisionedAnswerSchema,
  type ProvisionedStatus,
  type Warmth,
  warmthSchema,
} from '../wire/agent-calls.ts';
import type { CallClient } from '../wire/calls.ts';
import type { FunctionCalls, Watched } from '../wire/gateway-calls.ts';
import {
  capacitySchema,
  type FunctionLag,
  lagsSchema,
  type lagsQuerySchema,
  type Loads,
  type targetsSchema,
  type VersionCapacity,
} from '../wire/scale-calls.ts';
import { type SecretUse, secretUseSchema } from '../wire/secret-calls.ts';
import { healthAnswerSchema, metricsAnswerSchema } from '../wire/role-calls.ts';
import type { Gateways } from './gateways.ts';
import { whenAway } from './when-away.ts';

export const otherRoles = ['gateway', 'agent', 'relay', 'events'] as const;
export type OtherRole = (typeof otherRoles)[number];

const nameOf: Readonly<Record<OtherRole, string>> = {
  gateway: 'gateway',
  agent: 'agent',
  relay: 'relay',
  events: 'event log',
};

export interface RoleHealth {
  readonly ready: boolean;
  readonly detail: string;
}

const healthLimitMs = 1_000;
const healthAgeMs = 500;
const metricsLimitMs = 3_000;
const agentLimitMs = 2_000;
const eventsLimitMs = 2_000;

export class Roles {
  readonly #clients: Readonly<Record<Exclude<OtherRole, 'gateway'>, CallClient>>;
  readonly #gateways: Gateways;
  readonly #now: () => number;
  #health: { readonly at: number; readonly answer: Promise<Record<OtherRole, RoleHealth>> } | undefined;

  constructor(gateways: Gateways, clients: Readonly<Record<Exclude<OtherRole, 'gateway'>, CallClient>>, now: () => number) {
    this.#gateways = gateways;
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
      async (role) => ((role === 'gateway' ? this.#gateways : this.#clients[role]).connected ? await this.metricsOf(role) : undefined),
      () => undefined,
    );
  }

  /** @throws SwiftletError Unavailable while the role is away */
  async metricsOf(role: OtherRole): Promise<string> {
    if (role === 'gateway') return this.#gateways.metrics(metricsLimitMs);
    return metricsAnswerSchema.parse(await this.#clients[role].ask('metrics', {}, metricsLimitMs)).text;
  }

  /**
   * Asks the event log.
   * @throws SwiftletError EventNotFound, or Unavailable while it is away
   */
  askEvents(method: string, body: object, limitMs = eventsLimitMs): Promise<unknown> {
    return this.#clients.events.ask(method, body, limitMs);
  }

  /** What runs on the host; undefined while the agent is away. */
  async instances(): Promise<InstanceSummary[] | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('instances', {}, agentLimitMs).catch(whenAway);
    return answer === undefined ? undefined : instancesSchema.parse(answer);
  }

  /** How the instances are that functions want at all times; empty while the agent is away. */
  async provisioned(): Promise<ProvisionedStatus[]> {
    const { agent } = this.#clients;
    if (!agent.connected) return [];
    const answer = await agent.ask('provisioned', {}, agentLimitMs).catch(whenAway);
    return answer === undefined ? [] : provisionedAnswerSchema.parse(answer);
  }

  /** What a function's connections came to; undefined where functions have no network, and while the agent is away. */
  async networkCounts(tenant: string, name: string): Promise<NetworkCounts | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('network', { tenant, function: name }, agentLimitMs).catch(whenAway);
    return answer === undefined ? undefined : networkAnswerSchema.parse(answer).counts;
  }

  /** What became of a version's code; undefined while the agent is away, or does not know the version or the question. */
  async bundle(tenant: string, name: string, number: number): Promise<BundleState | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('bundle', { tenant, function: name, number }, agentLimitMs).catch(unlessOlder);
    return answer === undefined ? undefined : bundleAnswerSchema.parse(answer).state;
  }

  /** How the tunnels of a private network are; undefined where functions have no network, and while the agent is away. */
  async privateNetwork(tenant: string, name: string): Promise<PrivateNetworkState | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('privateNetwork', { tenant, name }, agentLimitMs).catch(whenAway);
    return answer === undefined ? undefined : privateNetworkAnswerSchema.parse(answer).network;
  }

  /** The warm sandboxes of a custom pool; undefined when nothing that is published uses it, and while the agent is away. */
  async customPool(tenant: string, name: string): Promise<CustomPoolStatus | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('pool', { tenant, name }, agentLimitMs).catch(unlessOlder);
    return answer === undefined ? undefined : customPoolAnswerSchema.parse(answer).pool;
  }

  /** @throws SwiftletError Unavailable while the agent is away */
  async isolation(): Promise<IsolationAnswer> {
    return isolationSchema.parse(await this.#clients.agent.ask('isolation', {}, agentLimitMs));
  }

  /** Whether dependencies can be installed on the host; undefined while the agent is away. */
  async builds(): Promise<BuildsAnswer | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('builds', {}, agentLimitMs).catch(unlessOlder);
    return answer === undefined ? undefined : buildsSchema.parse(answer);
  }

  /** How many instances of a version can take requests; undefined while the agent is away. */
  async warmth(tenant: string, name: string, number: number): Promise<Warmth | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('warmth', { tenant, function: name, number }, agentLimitMs).catch(whenAway);
    return answer === undefined ? undefined : warmthSchema.parse(answer);
  }

  /** With which values of a secret instances run; undefined while the agent is away. */
  async secretUse(tenant: string, name: string): Promise<SecretUse | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('secretUse', { tenant, name }, agentLimitMs).catch(whenAway);
    return answer === undefined ? undefined : secretUseSchema.parse(answer);
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

  /** What the host has of each version; undefined while the agent is away. */
  async capacity(): Promise<VersionCapacity[] | undefined> {
    const { agent } = this.#clients;
    if (!agent.connected) return undefined;
    const answer = await agent.ask('capacity', {}, agentLimitMs).catch(whenAway);
    return answer === undefined ? undefined : capacitySchema.parse(answer);
  }

  /** How many messages wait for functions, as far as their sources' servers tell; undefined while the event log is away. */
  async lags(functions: z.output<typeof lagsQuerySchema>['functions']): Promise<FunctionLag[] | undefined> {
    const { events } = this.#clients;
    if (!events.connected) return undefined;
    const answer = await events.ask('lags', { functions }, eventsLimitMs).catch(whenAway);
    return answer === undefined ? undefined : lagsSchema.parse(answer);
  }

  /** Tells the agent how many instances versions are to have. */
  tellTargets(targets: z.input<typeof targetsSchema>): void {
    this.#clients.agent.notify('targets', targets);
  }

  /** How each gateway is, in their order. */
  gateways(): Promise<RoleHealth[]> {
    return this.#gateways.each(healthLimitMs);
  }

  #askHealth(): Promise<Record<OtherRole, RoleHealth>> {
    return this.#each(
      async (role) => {
        if (role === 'gateway') return this.#gateways.health(healthLimitMs);
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

/** One of the release before does not know every question. */
function unlessOlder(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'NotFound')) whenAway(error);
}
