/** Building and publishing what a folder plans. */
import { buildFunction } from '../build/build.ts';
import type { InstallMeans } from '../build/install.ts';
import { type PlannedFunction, planFolder } from '../build/plan.ts';
import type { RolloutPlan } from '../model/rollout.ts';
import type { ApiClient, Published } from './api-client.ts';

/** Functions that are built at the same time. */
const atOnce = 4;

export interface Deployed extends Published {
  readonly name: string;
  /** Bytes of the bundle. */
  readonly size: number;
  readonly url: string;
}

export interface NotDeployed {
  readonly name: string;
  readonly error: unknown;
}

/** What became of each function of a folder, by name. */
export interface Deployment {
  readonly deployed: readonly Deployed[];
  readonly failed: readonly NotDeployed[];
}

/**
 * Builds and publishes all functions of a folder. One that fails does not keep the others back.
 * @param rollout how their versions take over; undefined: as their configurations say
 * @throws SwiftletError when the folder's plan is wrong or the platform does not answer: nothing is published then
 */
export async function deployFolder(folder: string, api: ApiClient, means: InstallMeans, rollout?: RolloutPlan): Promise<Deployment> {
  const [plan, { gatewayUrl }] = await Promise.all([planFolder(folder), api.platform()]);
  const rest = plan.toSorted(byName);
  const deployed: Deployed[] = [];
  const failed: NotDeployed[] = [];
  const work = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      try {
        deployed.push(await deployOne(next, api, gatewayUrl, means, rollout));
      } catch (error) {
        failed.push({ name: next.name, error });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { deployed: deployed.sort(byName), failed };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

async function deployOne(
  planned: PlannedFunction,
  api: ApiClient,
  gatewayUrl: string,
  means: InstallMeans,
  rollout: RolloutPlan | undefined,
): Promise<Deployed> {
  const packed = await buildFunction(planned, means);
  means.signal.throwIfAborted();
  await api.putArtifact(packed);
  const published = await api.putFunction(planned.name, packed.digest, planned.config, rollout);
  return { ...published, name: planned.name, size: packed.size, url: `${gatewayUrl}/${planned.name}/` };
}
