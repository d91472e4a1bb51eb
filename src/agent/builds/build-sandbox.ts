/** Sandboxes in which dependencies are installed: booted for one build, with npm in the runtime's place, and ended after it. */
import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { buildMemoryMiB } from '../../model/limits.ts';
import type { EndFacts } from '../end-reason.ts';
import type { CgroupTree } from '../linux/cgroup.ts';
import type { Mounter } from '../linux/mount-namespace.ts';
import type { Line } from '../network/address-plan.ts';
import type { RelayLink } from '../relay-link.ts';
import type { Exits } from '../sandbox/exits.ts';
import { killAll, startTimeOf } from '../sandbox/remains.ts';
import {
  cgroupOf,
  type Exit,
  fifoName,
  inside,
  type RuntimeFiles,
  type SandboxDriver,
  type SandboxProcesses,
  socketName,
} from '../sandbox/sandbox-driver.ts';
import type { Slots } from '../slots.ts';

export interface BuildSandbox {
  readonly socketPath: string;
  /** Its cable to the host's router. */
  readonly line: Line | undefined;
  /** Resolves when its last process is gone and nothing of it is left on the host. Never rejects. */
  readonly ended: Promise<EndFacts>;
  /** Forks that were refused at the limit. */
  pidsRefused(): number;
  /** Shows it a version's files. Once. @returns where they lie inside @throws SystemCallError, or Error where nothing can be mounted */
  attach(codeFolder: string): string;
  /** Ends all its processes at once; may be called any number of times. */
  kill(): void;
}

export interface BuildSandboxesMeans {
  readonly driver: SandboxDriver;
  readonly exits: Exits;
  readonly slots: Slots;
  readonly slotsFolder: string;
  readonly cgroups: CgroupTree | undefined;
  /** Undefined where nothing can be mounted into sandboxes. */
  readonly mounter: Mounter | undefined;
  readonly relay: Pick<RelayLink, 'open' | 'close'>;
  readonly log: Logger;
}

/** A build yields to functions where processors are short. */
const cpuWeight = 25;

/**
 * Its slot has no record: an agent that comes after this one ends it and removes what is left.
 * @param files the interpreter, and a folder with the program of the build as `boot.cjs`
 * @throws SwiftletError HostFull, or Internal with the reason; nothing is left then
 */
export async function bootBuildSandbox(means: BuildSandboxesMeans, files: RuntimeFiles): Promise<BuildSandbox> {
  const { driver, exits, slots, slotsFolder, cgroups, mounter, relay } = means;
  const slot = slots.take();
  const folder = `${slotsFolder}/${slot}`;
  const exit = exits.expect(slot);
  let processes: SandboxProcesses;
  try {
    await mkdir(folder, { recursive: true });
    processes = await driver.boot({ slot, folder, runtime: files, memoryMiB: buildMemoryMiB });
  } catch (error) {
    exits.forget(slot);
    slots.release(slot);
    throw error;
  }
  relay.open(slot, `${folder}/${fifoName}`);
  cgroups?.limit(cgroupOf(slot), { cpuWeight });
  const { inner, line } = processes;
  const born = startTimeOf(inner);
  return {
    socketPath: `${folder}/${socketName}`,
    line,
    ended: exit.then((how) => clear(means, slot, folder, how)),
    pidsRefused: () => cgroups?.counts(cgroupOf(slot)).pidsRefused ?? 0,
    attach(codeFolder) {
      if (mounter === undefined) throw new Error('nothing can be mounted into sandboxes here');
      mounter.bindReadOnly(inner, codeFolder, inside.code);
      return inside.code;
    },
    kill: () => {
      if (born !== undefined && startTimeOf(inner) === born) killAll([inner]);
    },
  };
}

async function clear(means: BuildSandboxesMeans, slot: number, folder: string, exit: Exit): Promise<EndFacts> {
  const { driver, exits, slots, cgroups, relay, log } = means;
  exits.forget(slot);
  const counts = cgroups?.counts(cgroupOf(slot));
  const tail = await relay.close(slot);
  await driver
    .free(slot, folder)
    .catch((error: unknown) => log.error({ err: error, slot }, 'a build left something behind; the next start removes it'));
  slots.release(slot);
  return { exit, oomKills: counts?.oomKills ?? 0, pidsRefused: counts?.pidsRefused ?? 0, tail };
}
