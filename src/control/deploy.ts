import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import { parseLayer } from '../model/layer.ts';
import { usualPolicy } from '../model/network-policy.ts';
import { languageOf } from '../model/runtimes.ts';
import { mainVersion } from '../model/traffic.ts';
import type { RoleConfig } from '../role/role-config.ts';
import { checkLimits } from './check-limits.ts';
import type { BuiltInLayers } from './built-in-layers/built-in-layers.ts';
import { checkTimers } from './check-timers.ts';
import { checkHandler } from './handler-file.ts';
import { checkProgram } from './program-file.ts';
import { secretMissing } from './secrets/refusals.ts';
import type { Deployment, Store } from './store.ts';

/** How long a deploy waits for gateways and agents to act on it. */
const placeLimitMs = 5_000;

export interface DeployMeans {
  readonly store: Store;
  readonly builtInLayers: Pick<BuiltInLayers, 'resolve' | 'given'>;
  readonly publisher: { placed(revision: number, limitMs: number): Promise<boolean> };
  /** Called after a version was made; it does not hold up the deploy. */
  readonly made: (version: Version) => void;
  readonly config: { readonly gateway: Pick<RoleConfig['gateway'], 'tenantInFlight'> };
}

export interface Deployed {
  readonly version: Version;
  /** False when the function served just this already. */
  readonly created: boolean;
  /** Whether the function is new. */
  readonly isFirst: boolean;
  /** Whether every gateway and agent acts on it, so that its first request is fast. */
  readonly placed: boolean;
  /** The version that serves now: another one while this one is being rolled out. */
  readonly serving: number;
  /** Why it lacks what its code counts on and the platform would have given; absent: it lacks nothing. */
  readonly lacks?: string;
}

/**
 * Makes a version and waits until it is placed.
 * @throws SwiftletError NotFound without the artifact, HandlerNotFound, ManifestInvalid, SecretMissing, as `BuiltInLayers.resolve`, PreconditionFailed when another version serves than was
 *   expected, Conflict while another version is being rolled out
 */
export async function deploy(
  { store, builtInLayers, publisher, made, config: { gateway } }: DeployMeans,
  deployment: Deployment,
): Promise<Deployed> {
  const { tenant, function: name, digest, expected } = deployment;
  const artifact = await store.findArtifact(tenant, digest);
  if (artifact === undefined) throw artifactMissing(digest);
  const config = { ...deployment.config, layers: await builtInLayers.resolve(tenant, deployment.config.layers) };
  const language = languageOf(config.runtime);
  if (language === 'program') checkProgram(config, [...artifact.files, ...(await layerFiles(store, tenant, config))]);
  else checkHandler(config.handler, artifact.files, language);
  checkTimers(config);
  const ofTenant = await store.tenants.find(tenant);
  checkLimits(config, ofTenant?.quotas.concurrency ?? gateway.tenantInFlight);
  const network = config.network ?? ofTenant?.network ?? usualPolicy;
  const { layers: givenLayers, ...lacks } = await builtInLayers.given(tenant, digest, config);
  const outcome = await store.deploy({ ...deployment, config: { ...config, network }, givenLayers });
  switch (outcome.kind) {
    case 'artifact missing':
      throw artifactMissing(digest);
    case 'secrets missing':
      throw secretMissing(`function "${name}"`, outcome.names);
    case 'stale':
      throw new SwiftletError('PreconditionFailed', staleDetail(name, expected, outcome.serving));
    case 'unchanged':
      return {
        version: outcome.version,
        created: false,
        isFirst: false,
        placed: await publisher.placed(outcome.revision, placeLimitMs),
        serving: outcome.serving,
        ...lacks,
      };
    case 'created':
      made(outcome.version);
      return {
        version: outcome.version,
        created: true,
        isFirst: outcome.isFirst,
        placed: await publisher.placed(outcome.revision, placeLimitMs),
        serving: mainVersion(outcome.traffic.live.versions),
        ...lacks,
      };
  }
}

/** A bootstrap, or a class, may lie in a layer, too. What names no layer is refused by the store, with more words. */
async function layerFiles(store: Store, tenant: string, { runtime, layers }: Version['config']): Promise<string[]> {
  if (runtime !== 'provided' && runtime !== 'java') return [];
  const found = await Promise.all(
    layers.map(async (reference) => {
      const id = parseLayer(reference);
      const layer = id === undefined ? undefined : await store.layers.find(tenant, id);
      return layer === undefined ? undefined : store.findArtifact(tenant, layer.digest);
    }),
  );
  return found.flatMap((artifact) => artifact?.files ?? []);
}

const artifactMissing = (digest: string): SwiftletError =>
  new SwiftletError('NotFound', `the artifact ${digest} is not here; upload it with PUT /v1/artifacts/${digest} first`, {
    place: 'digest',
  });

function staleDetail(name: string, expected: Deployment['expected'], serving: number | undefined): string {
  const wanted = expected === 'none' ? 'it was not to exist yet' : `version ${expected ?? 'any'} was expected to serve`;
  const found = serving === undefined ? 'there is no such function' : `version ${serving} serves`;
  return `function "${name}" was not changed: ${wanted}, but ${found}; read it again and decide anew`;
}
