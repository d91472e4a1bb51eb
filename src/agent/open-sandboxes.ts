/** What this machine and the configuration make of sandboxes: the driver, the limits, the way that code gets in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { agentPlace, type RoleConfig } from '../role/role-config.ts';
import type { Builds } from './builds/builds.ts';
import { buildPolicies, openBuilds, openPublish } from './builds/open-builds.ts';
import type { CodeBundlesMeans } from './builds/code-bundles.ts';
import { findBwrap, hasSysAdmin } from './isolation.ts';
import { openCgroups } from './linux/open-cgroups.ts';
import { Mounter } from './linux/mount-namespace.ts';
import { compileSeccomp } from './linux/seccomp.ts';
import { type Network } from './network/network.ts';
import { openNetwork } from './network/open-network.ts';
import type { RelayLink } from './relay-link.ts';
import { type JavaRuntime, openJava } from './runtimes/java-runtime.ts';
import { programFolder } from './runtimes/program-runtimes.ts';
import { prepareRuntimes } from './runtimes/runtimes.ts';
import { Exits } from './sandbox/exits.ts';
import { Launcher } from './sandbox/launcher.ts';
import type { Traces } from './sandbox/remains.ts';
import { writeEtc } from './sandbox/root-folder.ts';
import { type CodeWay, Sandboxes } from './sandbox/sandboxes.ts';
import { Slots } from './slots.ts';

export interface OpenSandboxes extends AsyncDisposable {
  readonly sandboxes: Sandboxes;
  readonly builds: Builds;
  /** Makes bundles of versions' code; undefined where it cannot be done. */
  readonly publish: CodeBundlesMeans['publish'];
  /** What functions in Java run on. */
  readonly java: JavaRuntime;
  /** Where the sandboxes of an earlier agent have left something. */
  readonly traces: Traces;
  /** The way out; undefined where sandboxes have a loopback and nothing else. */
  readonly network: Network | undefined;
}

/** @param now milliseconds of a monotonic clock @throws Error when the run folder cannot be written, or the runtime cannot be bundled */
export async function openSandboxes(config: RoleConfig, relay: RelayLink, now: () => number, log: Logger): Promise<OpenSandboxes> {
  const { isolation, maxSandboxes, firstUid, index } = config.agent;
  const { run: folder, data, id } = agentPlace(config, index);
  const cgroupFolder = `swiftlet-${id}`;
  const slotsFolder = join(folder, 'slots');
  mkdirSync(slotsFolder, { recursive: true });
  const isolated = isolation === 'bubblewrap';
  const cgroups = isolated ? openCgroups(cgroupFolder) : undefined;
  const way = await openNetwork({
    config,
    folder,
    isPrivileged: hasSysAdmin(),
    standing: buildPolicies(config),
    now,
    log,
  });
  const mounter = isolated && hasSysAdmin() ? new Mounter() : undefined;
  const driver = new Launcher(
    {
      isolation,
      privileged: mounter !== undefined,
      cgroupFolder,
      bwrap: findBwrap() ?? 'bwrap',
      firstUid,
      group: config.group,
      seccomp: isolated ? writeSeccomp(join(folder, 'seccomp.bpf'), log) : undefined,
      etc: writeEtc(join(folder, 'etc'), way && { server: way.nameServer, searchDomains: config.agent.network.searchDomains }),
      ...(way === undefined ? {} : { lines: way.lines }),
    },
    (error) => {
      log.fatal({ err: error }, 'the launcher ended; the agent restarts');
      process.exit(1);
    },
  );
  const runtimesFolder = join(data, 'runtimes');
  const runtimes = await prepareRuntimes(runtimesFolder, {
    python: config.agent.python,
    warn: (message) => log.warn(message),
  });
  const java = openJava(programFolder(runtimesFolder), config.agent.java);
  const codeWay: CodeWay = !isolated ? { kind: 'none' } : mounter === undefined ? { kind: 'link' } : { kind: 'mount', mounter };
  const shared = { driver, exits: new Exits(driver), slots: new Slots(maxSandboxes), slotsFolder, cgroups, mounter, relay, log };
  return {
    sandboxes: new Sandboxes({ ...shared, runtimes, codeWay, now }),
    builds: openBuilds(config, { ...shared, network: way?.network, runtimes }),
    publish: mounter === undefined ? undefined : openPublish(config, { ...shared, runtimes, java }),
    java,
    network: way?.network,
    traces: { slotsFolder, cgroups, uids: firstUid === undefined ? undefined : { first: firstUid, count: maxSandboxes } },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      mounter?.[Symbol.dispose]();
      await way?.[Symbol.asyncDispose]();
    },
  };
}

function writeSeccomp(path: string, log: Logger): string | undefined {
  try {
    writeFileSync(path, compileSeccomp(), { mode: 0o600 });
    return path;
  } catch (error) {
    log.warn({ err: error }, 'no system-call filter: libseccomp cannot be used');
    return undefined;
  }
}
