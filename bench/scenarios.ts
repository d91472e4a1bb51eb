import type { Scenario } from './scenario.ts';
import { authorisation } from './scenarios/authorisation.ts';
import { coldBurst } from './scenarios/cold-burst.ts';
import { coldEmptyPool } from './scenarios/cold-empty-pool.ts';
import { coldFullPool } from './scenarios/cold-full-pool.ts';
import { coldJava } from './scenarios/cold-java.ts';
import { coldPythonEmptyPool } from './scenarios/cold-python-empty-pool.ts';
import { coldPython } from './scenarios/cold-python.ts';
import { refillBeside } from './scenarios/refill-beside.ts';
import { coldRefilling } from './scenarios/cold-refilling.ts';
import { coldSustained } from './scenarios/cold-sustained.ts';
import { deployToAnswer } from './scenarios/deploy-to-answer.ts';
import { eventAccept } from './scenarios/event-accept.ts';
import { crowdedMemory } from './scenarios/crowded-memory.ts';
import { followedLogs } from './scenarios/followed-logs.ts';
import { frozen } from './scenarios/frozen.ts';
import { herd } from './scenarios/herd.ts';
import { hibernated } from './scenarios/hibernated.ts';
import { idleMemory } from './scenarios/idle-memory.ts';
import { manyTenants } from './scenarios/many-tenants.ts';
import { neighbour } from './scenarios/neighbour.ts';
import { noisyTenant } from './scenarios/noisy-tenant.ts';
import { networkPhase } from './scenarios/network-phase.ts';
import { noisyNeighbour } from './scenarios/noisy-neighbour.ts';
import { formats } from './scenarios/formats.ts';
import { customPool } from './scenarios/custom-pool.ts';
import { oneShot } from './scenarios/one-shot.ts';
import { privateNetwork } from './scenarios/private-network.ts';
import { programLanguages } from './scenarios/program-languages.ts';
import { promisedTimes } from './scenarios/promised-times.ts';
import { publishedApp } from './scenarios/published-app.ts';
import { replay } from './scenarios/replay.ts';
import { rollout } from './scenarios/rollout.ts';
import { routing } from './scenarios/routing.ts';
import { scaling } from './scenarios/scaling.ts';
import { sickInstance } from './scenarios/sick-instance.ts';
import { signedInvoke } from './scenarios/signed-invoke.ts';
import { soak } from './scenarios/soak.ts';
import { takenAway } from './scenarios/taken-away.ts';
import { warmManyInstances } from './scenarios/warm-many-instances.ts';
import { warmOneConnection } from './scenarios/warm-one-connection.ts';
import { warmOneInstance } from './scenarios/warm-one-instance.ts';
import { warmPython } from './scenarios/warm-python.ts';

/** All of them, in the order they are run and printed. */
export const scenarios: readonly Scenario[] = [
  coldFullPool,
  coldRefilling,
  refillBeside,
  coldEmptyPool,
  coldBurst,
  coldSustained,
  coldPython,
  coldPythonEmptyPool,
  warmPython,
  coldJava,
  programLanguages,
  networkPhase,
  privateNetwork,
  oneShot,
  customPool,
  formats,
  publishedApp,
  frozen,
  hibernated,
  warmOneConnection,
  warmOneInstance,
  warmManyInstances,
  authorisation,
  signedInvoke,
  manyTenants,
  routing,
  deployToAnswer,
  followedLogs,
  eventAccept,
  idleMemory,
  crowdedMemory,
  rollout,
  neighbour,
  herd,
  scaling,
  sickInstance,
  takenAway,
  promisedTimes,
  noisyNeighbour,
  replay,
  noisyTenant,
  soak,
];
