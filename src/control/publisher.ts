/** Tells gateways and agents what is served: all of it when they come, then each change. State flows this way only. */
import { appliedSchema, applyChange, type Change, type PublishedState, type Snapshot, stateOf } from '../wire/published-state.ts';
import { type CallServer, type Peer, serveCalls } from '../wire/calls.ts';
import { plainRouting } from '../wire/routing.ts';
import type { Store } from './store.ts';

export class Publisher implements AsyncDisposable {
  #state: PublishedState;
  #server: CallServer | undefined;
  readonly #watching: Disposable;
  /** The last revision that each subscriber acts on; those that have said nothing yet are not in it. */
  readonly #applied = new Map<Peer, number>();
  readonly #recheck = new Set<() => void>();

  readonly #needed: readonly string[];

  private constructor(state: PublishedState, store: Store, needed: readonly string[]) {
    this.#state = state;
    this.#needed = needed;
    this.#watching = store.watch((change) => this.#publish(change));
  }

  /**
   * Publishes a store on a socket, until disposed.
   * @param needed the roles without which nothing is placed: one of each must act on a state
   */
  static async open(store: Store, tokenHashes: readonly string[], socketPath: string, needed: readonly string[]): Promise<Publisher> {
    const { revision, functions } = await store.snapshot();
    const publisher = new Publisher(stateOf({ revision, functions: [...functions], tokenHashes: [...tokenHashes] }), store, needed);
    publisher.#server = await serveCalls(socketPath, 'control', {
      opened: (peer) => peer.notify('state', publisher.#snapshot()),
      closed: (peer) => publisher.#heard(() => publisher.#applied.delete(peer)),
      notice(method, body, peer) {
        if (method === 'applied') publisher.#heardApplied(peer, appliedSchema.parse(body).revision);
      },
    });
    return publisher;
  }

  /**
   * Waits until all subscribers of the roles that are needed act on a revision.
   * @returns false when a role that is needed is not there, or when the limit passed
   */
  placed(revision: number, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const check = () => {
        if (!this.#allThere()) end(false);
        else if (this.#connected().every((peer) => !this.#needed.includes(peer.role) || (this.#applied.get(peer) ?? -1) >= revision))
          end(true);
      };
      const end = (placed: boolean) => {
        clearTimeout(timer);
        this.#recheck.delete(check);
        resolve(placed);
      };
      const timer = setTimeout(end, limitMs, false);
      this.#recheck.add(check);
      check();
    });
  }

  #connected(): Peer[] {
    return [...(this.#server?.peers ?? [])].filter((peer) => !peer.signal.aborted);
  }

  #allThere(): boolean {
    const roles = new Set(this.#connected().map(({ role }) => role));
    return this.#needed.every((role) => roles.has(role));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching[Symbol.dispose]();
    await this.#server?.[Symbol.asyncDispose]();
  }

  #publish(change: Change): void {
    const next = applyChange(this.#state, change);
    if (next === undefined) throw new Error(`the store gave revision ${change.revision} after ${this.#state.revision}`);
    this.#state = next;
    for (const peer of this.#server?.peers ?? []) peer.notify('change', change);
  }

  #snapshot(): Snapshot {
    const { revision, functions, routings, tokenHashes } = this.#state;
    const served = [...functions].map(([key, serving]) => ({
      tenant: serving.tenant,
      name: serving.function,
      serving,
      routing: routings.get(key) ?? plainRouting,
    }));
    return { revision, functions: served, tokenHashes: [...tokenHashes] };
  }

  /** A subscriber may finish a later state before an earlier one. */
  #heardApplied(peer: Peer, revision: number): void {
    this.#heard(() => this.#applied.set(peer, Math.max(revision, this.#applied.get(peer) ?? -1)));
  }

  #heard(note: () => void): void {
    note();
    for (const check of this.#recheck) check();
  }
}
