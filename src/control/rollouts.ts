/** Moves rollouts on. It holds nothing that the store does not have: control may end at any moment, and the next one goes on from there. */
import type { Logger } from 'pino';
import type { FunctionConfig } from '../model/function.ts';
import { isPublishedTo, type Labels } from '../model/groups.ts';
import type { Warmth } from '../wire/agent-calls.ts';
import { nextMove, type RolloutFacts } from './next-move.ts';
import type { Roles } from './roles.ts';
import type { Store } from './store.ts';
import { moveRollout, rolloutUnderWay } from './traffic.ts';

/** So often versions are looked at. */
const lookEveryMs = 500;

export interface RolloutMeans {
  readonly store: Store;
  readonly roles: Pick<Roles, 'warmth' | 'watched'>;
  /** The groups that each agent is a part of. */
  readonly labels: readonly Labels[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A rollout has come to its end by itself. */
  readonly ended: (
    how: 'completed' | 'rolled-back',
    which: { readonly tenant: string; readonly name: string; readonly version: number },
  ) => void;
  readonly log: Logger;
}

/** Looks after all rollouts, now and then and whenever something changes, until disposed. */
export function keepRollingOut(means: RolloutMeans): AsyncDisposable {
  let looking: Promise<void> | undefined;
  const look = () => {
    looking ??= lookAtAll(means)
      .catch((error: unknown) => means.log.error({ err: error }, 'rollouts could not be looked at'))
      .finally(() => (looking = undefined));
  };
  const timer = setInterval(look, lookEveryMs);
  const watching = means.store.watch(look);
  look();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      watching[Symbol.dispose]();
      await looking;
    },
  };
}

async function lookAtAll(means: RolloutMeans): Promise<void> {
  await Promise.all((await means.store.moving()).map(({ tenant, name }) => lookAt(means, tenant, name)));
}

/** Decides on one rollout, and carries it out if nobody else has changed it meanwhile. */
async function lookAt(means: RolloutMeans, tenant: string, name: string): Promise<void> {
  const { store, now, ended, log } = means;
  const traffic = await store.traffic(tenant, name);
  const rollout = traffic === undefined ? undefined : rolloutUnderWay(traffic);
  if (rollout === undefined) return;
  const facts = await factsOf(means, tenant, name, rollout.from, rollout.to);
  const move = facts === undefined ? undefined : nextMove(rollout, facts, now());
  if (move === undefined) return;
  const expected = JSON.stringify(rollout);
  const changed = await store.changeTraffic(tenant, name, (current) =>
    JSON.stringify(rolloutUnderWay(current)) === expected ? moveRollout(current, move, { nowMs: now() }) : current,
  );
  const { state } = changed?.traffic.rollout ?? rollout;
  if (state.kind !== 'completed' && state.kind !== 'rolled-back') return;
  ended(state.kind, { tenant, name, version: rollout.to });
  log[state.kind === 'completed' ? 'info' : 'warn']({ tenant, function: name, version: rollout.to, state }, 'a rollout is over');
}

async function factsOf(
  { store, roles, labels }: RolloutMeans,
  tenant: string,
  name: string,
  from: number,
  to: number,
): Promise<RolloutFacts | undefined> {
  const [versions, before, next, watched] = await Promise.all([
    store.versions(tenant, name),
    roles.warmth(tenant, name, from),
    roles.warmth(tenant, name, to),
    roles.watched(tenant, name),
  ]);
  const configOf = (number: number) => versions.find((version) => version.number === number)?.config;
  const [own, other] = [configOf(from), configOf(to)];
  if (own === undefined || other === undefined) return undefined;
  const warmth = (config: FunctionConfig, asked: Warmth | undefined) =>
    labels.some((one) => isPublishedTo(config.groups, one)) ? asked : { ready: config.maximum };
  // What runs on no host here has nothing to be warmed.
  return { from: own, to: other, before: warmth(own, before), next: warmth(other, next), watched };
}
