import type { Scenario } from './scenario.ts';
import { coldBurst } from './scenarios/cold-burst.ts';
import { coldEmptyPool } from './scenarios/cold-empty-pool.ts';
import { coldFullPool } from './scenarios/cold-full-pool.ts';
import { coldRefilling } from './scenarios/cold-refilling.ts';
import { deployToAnswer } from './scenarios/deploy-to-answer.ts';
import { eventAccept } from './scenarios/event-accept.ts';
import { followedLogs } from './scenarios/followed-logs.ts';
import { frozen } from './scenarios/frozen.ts';
import { idleMemory } from './scenarios/idle-memory.ts';
import { neighbour } from './scenarios/neighbour.ts';
import { oneShot } from './scenarios/one-shot.ts';
import { rollout } from './scenarios/rollout.ts';
import { soak } from './scenarios/soak.ts';
import { warmManyInstances } from './scenarios/warm-many-instances.ts';
import { warmOneConnection } from './scenarios/warm-one-connection.ts';
import { warmOneInstance } from './scenarios/warm-one-instance.ts';

/** All of them, in the order they are run and printed. */
export const scenarios: readonly Scenario[] = [
  coldFullPool,
  coldRefilling,
  coldEmptyPool,
  coldBurst,
  oneShot,
  frozen,
  warmOneConnection,
  warmOneInstance,
  warmManyInstances,
  deployToAnswer,
  followedLogs,
  eventAccept,
  idleMemory,
  rollout,
  neighbour,
  soak,
];
