/** All agents, as one: what they have is added up, and each of them is told its part. */
import { agentsFor, partOf } from '../model/fleet.ts';
import { type Version, versionIdOf } from '../model/function.ts';
import type { Labels } from '../model/groups.ts';
import { divideTarget } from '../scaling/divide-target.ts';
import {
  customPoolAnswerSchema,
  type CustomPoolStatus,
  type InstanceSummary,
  instancesSchema,
  networkAnswerSchema,
  type NetworkCounts,
  provisionedAnswerSchema,
  type ProvisionedStatus,
  type Warmth,
  warmthSchema,
} from '../wire/agent-calls.ts';
import type { CallClient } from '../wire/calls.ts';
import { functionKey } from '../wire/published-state.ts';
import { healthAnswerSchema, metricsAnswerSchema } from '../wire/role-calls.ts';
import { capacitySchema, type targetsSchema, type VersionCapacity, type VersionTarget } from '../wire/scale-calls.ts';
import { type SecretUse, secretUseSchema } from '../wire/secret-calls.ts';
import { joinMetrics } from './gateway-sums.ts';
import { addCapacities, addCustomPools, addNetworkCounts, addProvisioned, addSecretUse, addWarmth } from './agent-sums.ts';
import type { RoleHealth } from './role-health.ts';
import { unlessOlder, whenAway } from './when-away.ts';
import type { z } from 'zod';

const askLimitMs = 2_000;

export class Agents {
  readonly #clients: readonly CallClient[];
  readonly #labels: readonly Labels[];
  /** What each said last of what it has: while it is away its instances go on. */
  #capacities: (readonly VersionCapacity[])[];

  /** @param clients one for each, in their order @param labels each one's */
  constructor(clients: readonly CallClient[], labels: readonly Labels[]) {
    this.#clients = clients;
    this.#labels = labels;
    this.#capacities = clients.map(() => []);
  }

  /** Whether any is there. */
  get connected(): boolean {
    return this.#clients.some(({ connected }) => connected);
  }

  get areSeveral(): boolean {
    return this.#clients.length > 1;
  }

  /**
   * Asks the first that is there: what is the same at all of them, or what one of them does for all.
   * @throws SwiftletError Unavailable while none is there
   */
  async askOne(method: string, body: object): Promise<unknown> {
    const client = this.#clients.find(({ connected }) => connected) ?? this.#clients[0];
    return client?.ask(method, body, askLimitMs);
  }

  /** Asks the one that has private networks, and builds; undefined while it is away. */
  async askFirst(method: string, body: object): Promise<unknown> {
    const [client] = this.#clients;
    return client?.connected === true ? client.ask(method, body, askLimitMs) : undefined;
  }

  /** All of them have to serve. */
  async health(limitMs: number): Promise<RoleHealth> {
    const each = await Promise.all(this.#clients.map((client) => healthOf(client, limitMs)));
    const missing = each.findIndex(({ ready }) => !ready);
    const { ready, detail } = each[Math.max(0, missing)] ?? away;
    if (each.length === 1) return { ready, detail };
    const serving = each.filter((one) => one.ready).length;
    return ready
      ? { ready, detail: `${each.length} agents take starts` }
      : { ready, detail: `${serving} of ${each.length} agents take starts: agent ${missing + 1}: ${detail}` };
  }

  /** @throws SwiftletError Unavailable while none is there */
  async metrics(limitMs: number): Promise<string> {
    const text = async (client: CallClient) => metricsAnswerSchema.parse(await client.ask('metrics', {}, limitMs)).text;
    const [only] = this.#clients;
    if (only !== undefined && !this.areSeveral) return text(only);
    const texts = new Map<number, string>();
    const ask = async (client: CallClient, index: number) => {
      const own = client.connected ? await text(client).catch(whenAway) : undefined;
      if (own !== undefined) texts.set(index + 1, own);
    };
    await Promise.all(this.#clients.map(ask));
    return joinMetrics(texts, 'agent');
  }

  /** What runs; undefined while no agent is there. Of several, each is said with the number of its agent. */
  async instances(): Promise<InstanceSummary[] | undefined> {
    const all = (await this.#each('instances', {})).map(({ agent, answer }) => ({ agent, instances: instancesSchema.parse(answer) }));
    if (all.length === 0) return undefined;
    return all.flatMap(({ agent, instances }) => (this.areSeveral ? instances.map((one) => ({ ...one, agent: agent + 1 })) : instances));
  }

  /** How the instances are that functions want at all times. */
  async provisioned(): Promise<ProvisionedStatus[]> {
    return addProvisioned((await this.#each('provisioned', {})).map(({ answer }) => provisionedAnswerSchema.parse(answer)));
  }

  /** What a function's connections came to; undefined where functions have no network, and while no agent is there. */
  async networkCounts(tenant: string, name: string): Promise<NetworkCounts | undefined> {
    const all = (await this.#each('network', { tenant, function: name })).map(({ answer }) => networkAnswerSchema.parse(answer));
    return addNetworkCounts(all.flatMap(({ counts }) => counts ?? []));
  }

  /** The warm sandboxes of a custom pool; undefined when no agent uses it, and while none is there. */
  async customPool(tenant: string, name: string): Promise<CustomPoolStatus | undefined> {
    const all = await this.#each('pool', { tenant, name });
    return addCustomPools(all.flatMap(({ answer }) => customPoolAnswerSchema.parse(answer).pool ?? []));
  }

  /** How many instances of a version can take requests; undefined while no agent is there. */
  async warmth(tenant: string, name: string, number: number): Promise<Warmth | undefined> {
    return addWarmth((await this.#each('warmth', { tenant, function: name, number })).map(({ answer }) => warmthSchema.parse(answer)));
  }

  /** With which values of a secret instances run; undefined while no agent is there. */
  async secretUse(tenant: string, name: string): Promise<SecretUse | undefined> {
    return addSecretUse((await this.#each('secretUse', { tenant, name })).map(({ answer }) => secretUseSchema.parse(answer)));
  }

  /** What there is of each version; undefined while no agent is there. */
  async capacity(): Promise<VersionCapacity[] | undefined> {
    const all = await this.#each('capacity', {});
    if (all.length === 0) return undefined;
    for (const { agent, answer } of all) this.#capacities[agent] = capacitySchema.parse(answer);
    return addCapacities(this.#capacities);
  }

  /** Tells each agent how many instances versions are to have there. @param find a version that serves */
  tellTargets({ validMs, targets }: z.input<typeof targetsSchema>, find: (version: VersionTarget) => Version | undefined): void {
    if (!this.areSeveral) {
      this.#clients[0]?.notify('targets', { validMs, targets });
      return;
    }
    const parts = this.#clients.map((): VersionTarget[] => []);
    for (const target of targets) {
      const version = find(target);
      if (version !== undefined) for (const [agent, part] of this.#divide(target, version).entries()) parts[agent]?.push(part);
    }
    for (const [agent, client] of this.#clients.entries()) client.notify('targets', { validMs, targets: parts[agent] });
  }

  #divide(whole: VersionTarget, version: Version): VersionTarget[] {
    const id = versionIdOf(version);
    const key = functionKey(version.tenant, version.function);
    const agents = agentsFor(version.config, this.#labels);
    const part = (number: number, agent: number) => partOf(number, agents, agent, key);
    // A schedule's maximum is divided here; what the function says itself agents hold by their budgets, which may have moved.
    const isScheduled = whole.maximum < version.config.maximum;
    const shares = this.#clients.map((_, agent) => {
      const running = this.#capacities[agent]?.find((one) => versionIdOf(one) === id)?.running ?? 0;
      const most = part(whole.maximum, agent);
      return { running, most: isScheduled ? most : Math.max(most, running) };
    });
    return divideTarget(whole.target, shares).map((target, agent) => {
      const minimum = part(whole.minimum, agent);
      return { ...whole, target: Math.max(target, minimum), minimum, maximum: isScheduled ? part(whole.maximum, agent) : whole.maximum };
    });
  }

  /** The answers of those that are there. */
  async #each(method: string, body: object): Promise<{ readonly agent: number; readonly answer: unknown }[]> {
    const ask = async (client: CallClient, agent: number) =>
      client.connected ? { agent, answer: await client.ask(method, body, askLimitMs).catch(unlessOlder) } : { agent, answer: undefined };
    return (await Promise.all(this.#clients.map(ask))).filter(({ answer }) => answer !== undefined);
  }
}

const away: RoleHealth = { ready: false, detail: 'the agent is away' };

const healthOf = (client: CallClient, limitMs: number): Promise<RoleHealth> =>
  client.connected
    ? client.ask('health', {}, limitMs).then(
        (answer) => healthAnswerSchema.parse(answer),
        (error: unknown) => ({ ready: false, detail: error instanceof Error ? error.message : 'the agent gave no answer' }),
      )
    : Promise.resolve(away);
