/** Instances that nobody here has yet, for versions whose own are filled: the autoscaler has had them started, and nobody waits. */
import { acquiredSchema } from '../../wire/agent-calls.ts';
import type { Agents } from './agents.ts';
import { InstanceLink, type LinkEvents } from './instance-link.ts';
import type { ServedVersion } from './served-version.ts';
import type { StartEvents } from './starts.ts';

/** Of one version no more often. */
const everyMs = 500;
const answerLimitMs = 2_000;

export class MoreInstances {
  readonly #agents: Pick<Agents, 'answered' | 'choose'>;
  readonly #events: Pick<StartEvents, 'grew' | 'started'> & LinkEvents;

  constructor(agents: Pick<Agents, 'answered' | 'choose'>, events: Pick<StartEvents, 'grew' | 'started'> & LinkEvents) {
    this.#agents = agents;
    this.#events = events;
  }

  /** Called now and then. */
  look(served: ServedVersion, now: number): void {
    if (now < served.moreAskedUntil || !served.isFilled) return;
    served.moreAskedUntil = now + everyMs;
    void this.#ask(served, now);
  }

  async #ask(served: ServedVersion, now: number): Promise<void> {
    const { tenant, function: name, number } = served.version;
    const agent = this.#agents.choose(served.version, served.agents, now);
    if (agent === undefined) return;
    try {
      const answer = await agent.client.ask('acquire resting', { tenant, function: name, number }, answerLimitMs);
      const acquired = acquiredSchema.parse(answer);
      const { instanceId, socketPath, slots } = acquired;
      if (this.#events.grew(instanceId, slots)) return;
      const link = new InstanceLink(instanceId, socketPath, slots, served, this.#events, performance.now(), agent);
      link.take(acquired);
      this.#events.started(link, undefined);
    } catch {
      // None rests there, or the agent is away: those that are here have room.
    } finally {
      this.#agents.answered(agent, served.version, false, performance.now());
    }
  }
}
