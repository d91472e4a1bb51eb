/** The instances that this gateway holds a lease on. */
import { type ErrorCode, SwiftletError } from '../model/errors.ts';
import { type Ended, renewEveryMs } from '../wire/agent-calls.ts';
import type { CallClient } from '../wire/calls.ts';
import type { Exchange } from './exchange.ts';
import { crashed, hungUp } from './failures.ts';
import type { InstanceLink } from './instance-link.ts';
import type { ServedVersion } from './served-version.ts';

/** How long a request whose instance is gone waits to hear from the agent why. */
const reasonWaitMs = 1_000;

export class Links {
  readonly #agent: CallClient;
  readonly #settle: (exchange: Exchange, error: SwiftletError) => void;
  readonly #all = new Map<string, InstanceLink>();
  /** Links that broke, until it is known why. */
  readonly #orphaned = new Map<string, InstanceLink>();
  readonly #renew: NodeJS.Timeout;

  /** @param settle ends a request whose instance is gone */
  constructor(agent: CallClient, settle: (exchange: Exchange, error: SwiftletError) => void) {
    this.#agent = agent;
    this.#settle = settle;
    this.#renew = setInterval(() => agent.notify('renew', { instanceIds: this.ids }), renewEveryMs);
  }

  get ids(): string[] {
    return [...this.#all.keys()];
  }

  add(link: InstanceLink): void {
    this.#all.set(link.id, link);
    link.served.instances += 1;
  }

  /** The agent says that an instance is gone, and why. */
  ended(ended: Ended): void {
    const link = this.#all.get(ended.instanceId) ?? this.#orphaned.get(ended.instanceId);
    if (link === undefined) return;
    link.close();
    this.#failOrphans(link, ended);
  }

  /**
   * A connection is gone; the requests on it wait a little for the reason.
   * @param wasRetired it was to go
   */
  lost(link: InstanceLink, wasRetired: boolean): void {
    link.served.removeFree(link);
    this.#all.delete(link.id);
    link.served.instances -= 1;
    // Whoever was retired before has been told what is to become of it.
    if (link.streams.size === 0 && wasRetired) return;
    this.#orphaned.set(link.id, link);
    setTimeout(() => this.#failOrphans(link, undefined), reasonWaitMs);
  }

  /** The instance must serve nobody again. */
  discard(link: InstanceLink, code: ErrorCode, detail: string): void {
    link.retire();
    link.served.removeFree(link);
    this.#agent.notify('discard', { instanceId: link.id, code, detail });
  }

  /** Gives the lease back: another gateway, or the idle time, may have the instance. */
  release(link: InstanceLink, now: number): void {
    link.retire();
    this.#agent.notify('release', { instanceId: link.id, idleSinceMsAgo: now - link.idleSince });
    link.close();
  }

  releaseIdle(now: number): void {
    for (const link of this.#all.values()) {
      if (link.streams.size === 0 && now - link.idleSince >= link.idleLimitMs) this.release(link, now);
    }
  }

  releaseIdleOf(served: ServedVersion, now: number): void {
    for (const link of this.#all.values()) if (link.served === served && link.streams.size === 0) this.release(link, now);
  }

  close(): void {
    clearInterval(this.#renew);
    for (const link of this.#all.values()) {
      link.retire();
      link.close();
    }
  }

  #failOrphans(link: InstanceLink, ended: Ended | undefined): void {
    if (!this.#orphaned.delete(link.id)) return;
    // It lives, and speaks to us no more: it must serve nobody.
    if (ended === undefined) this.discard(link, 'FunctionCrashed', hungUp(link.served.version));
    const code = ended === undefined || ended.code === 'Timeout' ? 'FunctionCrashed' : ended.code;
    for (const exchange of link.streams.values())
      this.#settle(exchange, new SwiftletError(code, ended?.detail ?? crashed(link.served.version)));
    link.streams.clear();
  }
}
