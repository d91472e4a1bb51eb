/** A role's read-only copy of what control publishes; it goes on with it while control is away. */
import { type CallClient, connectCalls, type Peer } from './calls.ts';
import type { CallPlace } from './secure/secure-place.ts';
import {
  applyChange,
  type Change,
  changeSchema,
  moreFunctionsSchema,
  type PublishedFunction,
  type PublishedState,
  type Snapshot,
  snapshotSchema,
  stateOf,
} from './published-state.ts';

export interface StateSubscriber extends AsyncDisposable {
  /** Undefined until the first snapshot has come. */
  readonly state: PublishedState | undefined;
  /** Whether control's changes come here now. */
  readonly isFollowing: boolean;
  /** Says something to control; lost while it is away. */
  tell(method: string, body: unknown): void;
}

/**
 * Follows control's state.
 * @param applied called with every new state; when it resolves, control learns that this role acts on it
 * @param heard called with everything else that control says
 * @param keeps the functions that are for this host; of the others nothing is known here
 */
export function subscribeState(
  place: CallPlace,
  role: string,
  applied: (state: PublishedState) => Promise<void> | void,
  heard: (method: string, body: unknown) => void = () => undefined,
  keeps: (served: PublishedFunction) => boolean = () => true,
): StateSubscriber {
  let state: PublishedState | undefined;
  let current: Peer | undefined;

  /** A snapshot that has not come whole, and the changes that belong after it. */
  let coming: { readonly snapshot: Snapshot; readonly functions: PublishedFunction[]; readonly changes: Change[] } | undefined;

  const receive = (functions: readonly PublishedFunction[], more: boolean, peer: Peer) => {
    if (coming === undefined) return;
    coming.functions.push(...functions.filter(keeps));
    if (more) {
      peer.notify('next', {});
      return;
    }
    const { snapshot, functions: all, changes } = coming;
    coming = undefined;
    let next: PublishedState | undefined = stateOf({ ...snapshot, functions: all });
    for (const change of changes) next = next === undefined ? undefined : applyChange(next, change);
    if (next === undefined) peer.close();
    else void take(next, peer);
  };

  const take = async (next: PublishedState, from: Peer) => {
    state = next;
    await applied(next);
    if (current === from) from.notify('applied', { revision: next.revision });
  };

  const client: CallClient = connectCalls(place, role, {
    opened: (peer) => {
      current = peer;
      coming = undefined;
    },
    closed: (peer) => {
      if (current !== peer) return;
      current = undefined;
      coming = undefined;
    },
    notice(method, body, peer) {
      // One that was followed by another says nothing that the other does not say, too.
      if (current !== peer) return;
      if (method === 'state') {
        const snapshot = snapshotSchema.parse(body);
        coming = { snapshot, functions: [], changes: [] };
        receive(snapshot.functions, snapshot.more, peer);
      } else if (method === 'functions') {
        const { functions, more } = moreFunctionsSchema.parse(body);
        receive(functions, more, peer);
      } else if (method === 'change') change(changeSchema.parse(body), peer);
      else heard(method, body);
    },
  });

  const change = (published: Change, peer: Peer) => {
    const came = narrowed(published, keeps);
    if (coming !== undefined) {
      coming.changes.push(came);
      return;
    }
    if (state === undefined) return;
    const next = applyChange(state, came);
    // A change was missed: a new connection brings a snapshot.
    if (next === undefined) peer.close();
    else void take(next, peer);
  };
  return {
    get state() {
      return state;
    },
    get isFollowing() {
      return current !== undefined && state !== undefined;
    },
    tell: (method, body) => client.notify(method, body),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

/** A function that is not for this host, or no more, is as one that was removed. */
function narrowed(came: Change, keeps: (served: PublishedFunction) => boolean): Change {
  const { revision, change } = came;
  if (change.kind !== 'served' || keeps(change.function)) return came;
  const { tenant, name } = change.function;
  return { revision, change: { kind: 'removed', tenant, name } };
}
