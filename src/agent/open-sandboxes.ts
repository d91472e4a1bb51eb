/** What this machine and the configuration make of sandboxes: the driver, the limits, the way that code gets in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { RoleConfig } from '../role/role-config.ts';
import { findBwrap, hasSysAdmin } from './isolation.ts';
import { openCgroups } from './linux/open-cgroups.ts';
import { Mounter } from './linux/mount-namespace.ts';
import { compileSeccomp } from './linux/seccomp.ts';
import type { RelayLink } from './relay-link.ts';
import { prepareRuntimes } from './runtimes.ts';
import { Launcher } from './sandbox/launcher.ts';
import type { Traces } from './sandbox/remains.ts';
import { writeEtc } from './sandbox/root-folder.ts';
import { type CodeWay, Sandboxes } from './sandbox/sandboxes.ts';
import { Slots } from './slots.ts';

export interface OpenSandboxes extends AsyncDisposable {
  readonly sandboxes: Sandboxes;
  /** Where the sandboxes of an earlier agent have left something. */
  readonly traces: Traces;
}

/** @param now milliseconds of a monotonic clock @throws Error when the run folder cannot be written, or the runtime cannot be bundled */
export async function openSandboxes(config: RoleConfig, relay: RelayLink, now: () => number, log: Logger): Promise<OpenSandboxes> {
  const { isolation, maxSandboxes, firstUid } = config.agent;
  const folder = join(config.run, 'agent');
  const slotsFolder = join(folder, 'slots');
  mkdirSync(slotsFolder, { recursive: true });
  const isolated = isolation === 'bubblewrap';
  const cgroups = isolated ? openCgroups(cgroupFolder(config)) : undefined;
  const mounter = isolated && hasSysAdmin() ? new Mounter() : undefined;
  const driver = new Launcher(
    {
      isolation,
      privileged: mounter !== undefined,
      cgroupFolder: cgroupFolder(config),
      bwrap: findBwrap() ?? 'bwrap',
      firstUid,
      group: config.group,
      seccomp: isolated ? writeSeccomp(join(folder, 'seccomp.bpf'), log) : undefined,
      etc: writeEtc(join(folder, 'etc')),
    },
    (error) => {
      log.fatal({ err: error }, 'the launcher ended; the agent restarts');
      process.exit(1);
    },
  );
  const runtimes = await prepareRuntimes(join(config.home, 'agent', 'runtimes'));
  const codeWay: CodeWay = !isolated ? { kind: 'none' } : mounter === undefined ? { kind: 'link' } : { kind: 'mount', mounter };
  return {
    sandboxes: new Sandboxes({ driver, slots: new Slots(maxSandboxes), slotsFolder, runtimes, cgroups, codeWay, relay, now, log }),
    traces: { slotsFolder, cgroups, uids: firstUid === undefined ? undefined : { first: firstUid, count: maxSandboxes } },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      mounter?.[Symbol.dispose]();
    },
  };
}

/** The name is the run folder’s, so that several platforms on one host keep apart. */
const cgroupFolder = (config: RoleConfig): string => `swiftlet-${config.run.replace(/.*\//, '')}`;

function writeSeccomp(path: string, log: Logger): string | undefined {
  try {
    writeFileSync(path, compileSeccomp(), { mode: 0o600 });
    return path;
  } catch (error) {
    log.warn({ err: error }, 'no system-call filter: libseccomp cannot be used');
    return undefined;
  }
}
