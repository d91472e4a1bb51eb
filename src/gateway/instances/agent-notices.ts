/** What an agent tells a gateway without being asked. Everything is parsed here. */
import { versionIdOf } from '../../model/function.ts';
import {
  type Ended,
  endedSchema,
  type Spare,
  spareSchema,
  type StartFailed,
  startFailedSchema,
  type Starting,
  startingSchema,
} from '../../wire/agent-calls.ts';
import { retireSchema } from '../../wire/secret-calls.ts';
import type { SharedLimits } from '../protection/shared-limits.ts';
import type { Agent, Agents } from './agents.ts';
import type { Links } from './links.ts';
import type { Serving } from './serving.ts';
import { spare } from './spare-slots.ts';
import type { Starts } from './starts.ts';

export interface AgentNoticesMeans {
  readonly agents: Pick<Agents, 'heard'>;
  readonly links: Links;
  readonly starts: Starts;
  readonly serving: Serving;
  readonly shared: SharedLimits | undefined;
}

export class AgentNotices {
  readonly #means: AgentNoticesMeans;

  constructor(means: AgentNoticesMeans) {
    this.#means = means;
  }

  /** @param agent who says it */
  take(agent: Agent, method: string, body: unknown): void {
    if (this.#means.agents.heard(agent, method, body)) return;
    if (method === 'ended') this.ended(endedSchema.parse(body));
    if (method === 'retire') this.retired(retireSchema.parse(body).instanceId);
    if (method === 'start failed') this.startFailed(startFailedSchema.parse(body));
    if (method === 'starting') this.starting(startingSchema.parse(body));
    if (method === 'spare') this.spare(agent, spareSchema.parse(body));
    if (method === 'recall') this.#means.shared?.recall(body);
  }

  /** An instance is gone, and why. */
  ended(ended: Ended): void {
    this.#means.links.ended(ended);
  }

  /** An instance gets no more requests, since another one takes its place. */
  retired(instanceId: string): void {
    const served = this.#means.links.replaced(instanceId, performance.now());
    if (served !== undefined && served.waiting > 0) this.#means.starts.activate(served, performance.now());
  }

  /** An instance that was asked for has its sandbox. */
  starting(starting: Starting): void {
    this.#means.starts.announced(starting, performance.now());
  }

  /** An instance that was asked for does not come. */
  startFailed(failed: StartFailed): void {
    this.#means.starts.failing(failed);
  }

  /** Another gateway lacks slots of a version. */
  spare(agent: Agent, wanted: Spare): void {
    const { serving, links } = this.#means;
    const served = serving.version(versionIdOf(wanted));
    const owner = served?.partFor(agent.number);
    if (owner !== undefined) spare(links, agent, owner, wanted, performance.now());
    if (wanted.ask !== undefined) agent.client.notify('spared', { ask: wanted.ask });
  }
}
