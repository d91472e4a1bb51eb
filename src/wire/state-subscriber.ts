/** A role's read-only copy of what control publishes; it goes on with it while control is away. */
import { type CallClient, connectCalls, type Peer } from './calls.ts';
import { applyChange, changeSchema, type PublishedState, snapshotSchema, stateOf } from './published-state.ts';

export interface StateSubscriber extends AsyncDisposable {
  /** Undefined until the first snapshot has come. */
  readonly state: PublishedState | undefined;
  /** Whether control's changes come here now. */
  readonly isFollowing: boolean;
}

/**
 * Follows control's state.
 * @param applied called with every new state; when it resolves, control learns that this role acts on it
 */
export function subscribeState(
  socketPath: string,
  role: string,
  applied: (state: PublishedState) => Promise<void> | void,
): StateSubscriber {
  let state: PublishedState | undefined;
  let current: Peer | undefined;

  const take = async (next: PublishedState, from: Peer) => {
    state = next;
    await applied(next);
    if (current === from) from.notify('applied', { revision: next.revision });
  };

  const client: CallClient = connectCalls(socketPath, role, {
    opened: (peer) => {
      current = peer;
    },
    closed: () => {
      current = undefined;
    },
    notice(method, body, peer) {
      if (method === 'state') void take(stateOf(snapshotSchema.parse(body)), peer);
      if (method !== 'change' || state === undefined) return;
      const next = applyChange(state, changeSchema.parse(body));
      // A change was missed: a new connection brings a snapshot.
      if (next === undefined) peer.close();
      else void take(next, peer);
    },
  });
  return {
    get state() {
      return state;
    },
    get isFollowing() {
      return current !== undefined && state !== undefined;
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
