/** Tells gateways and agents what is served: all of it when they come, then each change. State flows this way only. */
import { isDeepStrictEqual } from 'node:util';
import {
  appliedSchema,
  applyChange,
  type Change,
  functionsAtOnce,
  type PublishedFunction,
  type PublishedState,
  type Snapshot,
  stateOf,
} from '../wire/published-state.ts';
import { type CallServer, type Peer, serveCalls } from '../wire/calls.ts';
import type { CallPlace } from '../wire/secure/secure-place.ts';
import { plainRouting } from '../wire/routing.ts';
import type { Store } from './store.ts';

export class Publisher implements AsyncDisposable {
  #state: PublishedState;
  #server: CallServer | undefined;
  readonly #watching: Disposable;
  /** The last revision that each subscriber acts on; those that have said nothing yet are not in it. */
  readonly #applied = new Map<Peer, number>();
  /** Functions of a snapshot that a subscriber has not asked for yet. */
  readonly #unsent = new Map<Peer, PublishedFunction[]>();
  readonly #recheck = new Set<() => void>();

  readonly #needed: readonly string[];
  /** By the notices' names. */
  readonly #told = new Map<string, unknown>();

  private constructor(state: PublishedState, store: Store, needed: readonly string[]) {
    this.#state = state;
    this.#needed = needed;
    this.#watching = store.watch((change) => this.#publish(change));
  }

  /**
   * Publishes a store, until disposed.
   * @param places where subscribers find it
   * @param needed the roles without which nothing is placed: one of each must act on a state
   * @param heard called with everything else that subscribers say
   */
  static async open(
    store: Store,
    tokenHashes: readonly string[],
    places: CallPlace | readonly CallPlace[],
    needed: readonly string[],
    heard: (method: string, body: unknown) => void = () => undefined,
  ): Promise<Publisher> {
    const { revision, functions, tokens, tenants, networks } = await store.snapshot();
    const snapshot = {
      revision,
      functions: [...functions],
      tokens: [...tokens],
      tenants: [...tenants],
      networks: [...networks],
      tokenHashes: [...tokenHashes],
    };
    const publisher = new Publisher(stateOf(snapshot), store, needed);
    publisher.#server = await serveCalls(places, 'control', {
      opened: (peer) => {
        publisher.#begin(peer);
        if (peer.role === 'gateway') for (const [method, body] of publisher.#told) peer.notify(method, body);
      },
      closed: (peer) => {
        publisher.#unsent.delete(peer);
        publisher.#heard(() => publisher.#applied.delete(peer));
      },
      notice(method, body, peer) {
        if (method === 'applied') publisher.#heardApplied(peer, appliedSchema.parse(body).revision);
        else if (method === 'next') publisher.#goOn(peer);
        else heard(method, body);
      },
    });
    return publisher;
  }

  /** What is published now: control decides by the same copy as gateways do. */
  get state(): PublishedState {
    return this.#state;
  }

  /**
   * Tells gateways what is no part of the state, since it can be found out again at any time; those that come later, too.
   * @param method the notice's name; what was told under it before is forgotten
   */
  tell(method: 'spent' | 'issuers' | 'access keys' | 'caller keys', body: unknown): void {
    if (isDeepStrictEqual(body, this.#told.get(method))) return;
    this.#told.set(method, body);
    for (const peer of this.#server?.peers ?? []) if (peer.role === 'gateway') peer.notify(method, body);
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

  #begin(peer: Peer): void {
    const snapshot = this.#snapshot();
    const first = snapshot.functions.splice(0, countAtOnce(snapshot.functions));
    const rest = snapshot.functions;
    if (rest.length > 0) this.#unsent.set(peer, rest);
    peer.notify('state', { ...snapshot, functions: first, more: rest.length > 0 });
  }

  #goOn(peer: Peer): void {
    const rest = this.#unsent.get(peer);
    if (rest === undefined) return;
    const functions = rest.splice(0, countAtOnce(rest));
    if (rest.length === 0) this.#unsent.delete(peer);
    peer.notify('functions', { functions, more: rest.length > 0 });
  }

  #snapshot(): Omit<Snapshot, 'more'> {
    const { revision, functions, routings, policies, tokenHashes, tokens, tenants, networks } = this.#state;
    const served = [...functions].map(([key, serving]) => ({
      tenant: serving.tenant,
      name: serving.function,
      serving,
      routing: routings.get(key) ?? plainRouting,
      policy: policies.get(key),
    }));
    return {
      revision,
      functions: served,
      tokenHashes: [...tokenHashes],
      tokens: [...tokens.values()].map(({ published }) => published),
      tenants: [...tenants.values()],
      networks: [...networks.values()],
    };
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

/** Routes that are as long as what else there is of a function. */
const routesOfWeight = 10;

/** How many of these are one message. */
function countAtOnce(functions: readonly PublishedFunction[]): number {
  let weight = 0;
  const above = functions.findIndex(({ serving, routing }) => {
    for (const { config } of [serving, ...routing.others]) weight += config.routes.length / routesOfWeight;
    return ++weight > functionsAtOnce;
  });
  return above < 0 ? functions.length : Math.max(1, above);
}
