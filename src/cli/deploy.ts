/** Building and publishing what a folder plans. */
import { buildFunction, buildRuntime, demandDependencies, packSources } from '../build/build.ts';
import type { InstallMeans } from '../build/install.ts';
import { type PlannedFunction, planFolder, type PlanWishes } from '../build/plan.ts';
import { SwiftletError } from '../model/errors.ts';
import type { RolloutPlan } from '../model/rollout.ts';
import type { BuildRuntimeName } from '../model/runtimes.ts';
import type { BuildsAnswer } from '../wire/agent-calls.ts';
import type { ApiClient, Published } from './api-client.ts';
import { buildOnPlatform } from './build-calls.ts';
import { type BuildFacts, type BuildPlace, buildPlace } from './build-place.ts';

/** Functions that are built at the same time. */
const atOnce = 4;

export interface DeployMeans extends InstallMeans, PlanWishes {
  /** Where dependencies are installed; undefined: on the platform where it can. */
  readonly build?: BuildPlace | undefined;
  /** Is told what a build on the platform says. */
  readonly said?: (name: string, line: string) => void;
}

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
export async function deployFolder(folder: string, api: ApiClient, means: DeployMeans, rollout?: RolloutPlan): Promise<Deployment> {
  const [plan, { gatewayUrl, functionsUrl = gatewayUrl, builds }] = await Promise.all([planFolder(folder, means), api.platform()]);
  const rest = plan.toSorted(byName);
  const deployed: Deployed[] = [];
  const failed: NotDeployed[] = [];
  /** Another one had a route of theirs, and may have given it away meanwhile. */
  const again: PlannedFunction[] = [];
  const publish = async (next: PlannedFunction, isLast: boolean) => {
    try {
      const { digest, size } = await build(next, api, means, builds);
      const published = await api.putFunction(next.name, digest, next.config, rollout);
      deployed.push({ ...published, name: next.name, size, url: `${functionsUrl}/${next.name}/` });
    } catch (error) {
      if (!isLast && error instanceof SwiftletError && error.code === 'RouteConflict') again.push(next);
      else failed.push({ name: next.name, error });
    }
  };
  const work = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await publish(next, false);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  for (const next of again) await publish(next, true);
  return { deployed: deployed.sort(byName), failed };
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

/** @returns an artifact that the platform has */
async function build(
  planned: PlannedFunction,
  api: ApiClient,
  means: DeployMeans,
  platform: BuildsAnswer,
): Promise<{ readonly digest: string; readonly size: number }> {
  await demandDependencies(planned);
  const { scripts } = planned.build;
  const runtime = await buildRuntime(planned);
  const place = buildPlace({ wanted: means.build, hasDependencies: runtime !== undefined, scripts, platform: factsFor(runtime, platform) });
  const isLocal = place === 'local' || runtime === undefined;
  const packed = isLocal ? await buildFunction(planned, means) : await packSources(planned, runtime);
  means.signal.throwIfAborted();
  await api.putArtifact(packed);
  if (isLocal) return packed;
  return buildOnPlatform(api, { source: packed.digest, runtime, scripts }, (line) => means.said?.(planned.name, line));
}

/** An older platform says nothing of Python. */
const factsFor = (runtime: BuildRuntimeName | undefined, { python, ...others }: BuildsAnswer): BuildFacts['platform'] =>
  runtime === 'python3' ? (python ?? { available: false, detail: 'it installs no packages for Python' }) : others;
