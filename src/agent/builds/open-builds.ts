/** What the configuration makes of builds on this host. */
import { join } from 'node:path';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { defaultRegistry, registryPolicy } from '../../model/registry.ts';
import { agentPlace, buildSettings, type RoleConfig } from '../../role/role-config.ts';
import type { Network } from '../network/network.ts';
import type { Runtimes } from '../runtimes/installed-runtime.ts';
import type { RuntimeFiles } from '../sandbox/sandbox-driver.ts';
import { bootBuildSandbox, type BuildSandboxesMeans } from './build-sandbox.ts';
import { prepareBuilder } from './builder-files.ts';
import { Builds } from './builds.ts';
import type { Origins } from './recipe.ts';
import type { CodeBundlesMeans } from './code-bundles.ts';
import type { JavaRuntime } from '../runtimes/java-runtime.ts';
import { prepareJavaPublisher } from './java-publisher-files.ts';
import { publishCode } from './publish-code.ts';
import { publishJava } from './publish-java.ts';
import { preparePublisher } from './publisher-files.ts';

export interface OpenBuildsMeans extends BuildSandboxesMeans {
  readonly network: Network | undefined;
  readonly runtimes: Runtimes;
}

/** Where packages come from, by the program that installs them. */
function originsOf(config: RoleConfig): Origins {
  const { registries, pythonRegistries } = buildSettings(config);
  return {
    npm: { registry: registries[0] ?? defaultRegistry, policy: registryPolicy(registries) },
    pip: { registry: pythonRegistries[0] ?? '', policy: registryPolicy(pythonRegistries) },
  };
}

/** All that builds may reach. */
export const buildPolicies = (config: RoleConfig): NetworkPolicy[] => Object.values(originsOf(config)).map(({ policy }) => policy);

/** What is shown to builds is prepared when the first of them comes. */
export function openBuilds(config: RoleConfig, means: OpenBuildsMeans): Builds {
  const { network, runtimes, log } = means;
  const { timeoutMs, authorities } = buildSettings(config);
  return new Builds({
    boot: (files) => bootBuildSandbox(means, files),
    network,
    lacks: lacksOf(config, network),
    origins: originsOf(config),
    timeoutMs,
    runtimes,
    prepared: onceDone(() =>
      prepareBuilder({ folder: join(agentPlace(config, config.agent.index).data, 'builder'), runtimes, authorities }),
    ),
    log,
  });
}

/** How versions' code is made ready on this host. */
export function openPublish(
  config: RoleConfig,
  means: Omit<OpenBuildsMeans, 'network'> & { readonly java: JavaRuntime },
): NonNullable<CodeBundlesMeans['publish']> {
  const { runtimes, java } = means;
  const { data } = agentPlace(config, config.agent.index);
  const prepared = onceDone(() => preparePublisher(join(data, 'publisher')));
  const javaPrepared = onceDone(() => prepareJavaPublisher(join(data, 'java-publisher'), java));
  const boot = (files: RuntimeFiles) => bootBuildSandbox(means, files);
  return (version, codeFolder, signal) =>
    version.config.runtime === 'java'
      ? publishJava({ boot, runtimes, prepared: javaPrepared, stamp: java.stamp }, version, codeFolder, signal)
      : publishCode({ boot, runtimes, prepared }, version, codeFolder, signal);
}

/** Orders and what is built go over a socket of this machine. */
function lacksOf({ hosts, agent }: RoleConfig, network: Network | undefined): string | undefined {
  if (hosts !== undefined) return 'control and the sandboxes are on two hosts; dependencies are installed where you deploy (--build local)';
  if (network === undefined)
    return 'sandboxes on this host have no network: "swiftlet doctor" says what is missing, and --build local builds where you deploy';
  if (agent.network.mode === 'user')
    return 'a build has limits that only root can set; start Swiftlet as root, or install where you deploy (--build local)';
  return undefined;
}

/** Does it when it is asked for first, and again after it failed. */
function onceDone<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}
