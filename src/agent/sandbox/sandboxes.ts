import { mkdir } from 'node:fs/promises';
import type { Logger } from 'pino';
import { SwiftletError } from '../../model/errors.ts';
import type { EndFacts } from '../end-reason.ts';
import type { CgroupMemory, CgroupTree } from '../linux/cgroup.ts';
import type { Mounter } from '../linux/mount-namespace.ts';
import { processorMs } from '../linux/processor-time.ts';
import type { RelayLink } from '../relay-link.ts';
import { RuntimeConnection } from '../runtime-connection.ts';
import type { Runtimes } from '../runtimes/installed-runtime.ts';
import { runtimeFiles } from '../runtimes/runtimes.ts';
import { type BootedRecord, RecordFile, type SlotRecord } from '../slot-record.ts';
import type { Slots } from '../slots.ts';
import type { BootMoments } from '../start-times.ts';
import type { Exits } from './exits.ts';
import { linkFolder } from './link-folder.ts';
import { killAll, startTimeOf } from './remains.ts';
import type { Sandbox, SandboxKind } from './sandbox.ts';
import { SwappedMemory } from './swapped-memory.ts';
import {
  cgroupOf,
  codeFolderOf,
  type Exit,
  fifoName,
  inside,
  layersFolderOf,
  shownFoldersOf,
  type SandboxDriver,
  type SandboxProcesses,
  socketName,
} from './sandbox-driver.ts';

/** How code gets into a sandbox: mounted from outside, linked into a folder it sees already, or not isolated at all. */
export type CodeWay = { readonly kind: 'mount'; readonly mounter: Mounter } | { readonly kind: 'link' } | { readonly kind: 'none' };

export interface SandboxesMeans {
  readonly driver: SandboxDriver;
  readonly exits: Exits;
  readonly slots: Slots;
  readonly slotsFolder: string;
  readonly runtimes: Runtimes;
  readonly cgroups: CgroupTree | undefined;
  readonly codeWay: CodeWay;
  readonly relay: Pick<RelayLink, 'open' | 'close'>;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly log: Logger;
}

const mebibyte = 1024 * 1024;
const noMemory = { privateBytes: 0, swapCachedBytes: 0, swappedBytes: 0 };
const bootLimitMs = 15_000;
/** An adopted sandbox is no child of ours: its end is looked for. */
const goneCheckMs = 200;

/** Makes sandboxes and follows each until nothing of it is left. */
export class Sandboxes {
  readonly #means: SandboxesMeans;
  readonly #boots = new Set<Promise<Sandbox>>();
  readonly #live = new Set<Sandbox>();
  #lastPageOut = Promise.resolve();
  /** How many sandboxes' memory is to go to swap, the one that goes now among them. */
  #movingOut = 0;
  #closed = false;

  constructor(means: SandboxesMeans) {
    this.#means = means;
  }

  /** How many more this host may run. */
  get room(): number {
    return this.#means.slots.left;
  }

  /** Whether sandboxes can be frozen on this host. */
  get canFreeze(): boolean {
    return this.#means.cgroups?.canFreeze ?? false;
  }

  /** What all that is isolated has together. */
  memory(): CgroupMemory {
    return this.#means.cgroups?.memory() ?? noMemory;
  }

  /** Where a sandbox has its layers. @param folder where they lie on this host */
  layersInside(folder: string): string {
    return this.#means.codeWay.kind === 'none' ? folder : inside.layers;
  }

  /** Starts one and waits until its runtime has booted. @throws SwiftletError HostFull, RuntimeUnknown, or Internal with the reason */
  boot(kind: SandboxKind): Promise<Sandbox> {
    if (this.#closed) return Promise.reject(new SwiftletError('Unavailable', 'the agent is stopping'));
    const boot = this.#boot(kind);
    this.#boots.add(boot);
    boot.catch(() => undefined).finally(() => this.#boots.delete(boot));
    return boot;
  }

  /** Ends every sandbox there is, whoever has it, and those that boot now. Resolves when nothing is left of them. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const sandbox of this.#live) sandbox.kill();
    await Promise.allSettled(this.#boots);
    await Promise.all([...this.#live].map((sandbox) => sandbox.ended));
  }

  async #boot(kind: SandboxKind): Promise<Sandbox> {
    const { driver, exits, slots, slotsFolder, runtimes, codeWay, relay, now } = this.#means;
    const began = now();
    const runtime = runtimeFiles(runtimes, kind.runtime);
    const slot = slots.take();
    const folder = `${slotsFolder}/${slot}`;
    let processes: SandboxProcesses;
    const exit = exits.expect(slot);
    try {
      await mkdir(folder, { recursive: true });
      if (codeWay.kind === 'link') for (const shown of shownFoldersOf(folder)) await mkdir(shown, { recursive: true });
      processes = await driver.boot({ slot, folder, runtime, memoryMiB: kind.memoryMiB });
    } catch (error) {
      exits.forget(slot);
      slots.release(slot);
      throw error;
    }
    relay.open(slot, `${folder}/${fifoName}`);
    const record = { slot, ...processes, ...kind, born: startTimeOf(processes.inner) ?? '' };
    const recorded = Promise.withResolvers<RecordFile | undefined>();
    const boot = { began, created: now(), booted: Infinity };
    const sandbox = this.#hold(record, folder, exit, recorded.promise, boot);
    try {
      await this.#booted(sandbox);
      boot.booted = now();
    } catch (error) {
      recorded.resolve(undefined);
      throw error;
    }
    // Nobody waits for it but the sandbox's dedication and its end.
    recorded.resolve(this.#writeDown(slot, RecordFile.create(folder, record)));
    return sandbox;
  }

  /**
   * Takes over a sandbox that an earlier agent booted, and may have frozen; whether its runtime answers is for the caller to see.
   * @returns undefined when its processes are gone
   */
  adopt({ booted, instance }: SlotRecord): Sandbox | undefined {
    if (startTimeOf(booted.inner) !== booted.born) return undefined;
    const { slots, slotsFolder, relay, cgroups } = this.#means;
    cgroups?.thaw(cgroupOf(booted.slot));
    const folder = `${slotsFolder}/${booted.slot}`;
    slots.claim(booted.slot);
    relay.open(booted.slot, `${folder}/${fifoName}`);
    const recorded = instance === undefined ? this.#writeDown(booted.slot, RecordFile.reopen(folder)) : Promise.resolve(undefined);
    return this.#hold(booted, folder, gone(booted), recorded, undefined);
  }

  #writeDown(slot: number, writing: Promise<RecordFile>): Promise<RecordFile | undefined> {
    return writing.catch((error: unknown) => {
      this.#means.log.warn({ err: error, slot }, 'a sandbox could not be written down; a restarted agent will end it');
      return undefined;
    });
  }

  async #booted(sandbox: Sandbox): Promise<void> {
    const late = setTimeout(() => sandbox.kill(), bootLimitMs);
    try {
      const { state } = await sandbox.connection.booted();
      if (state === 'initialising' || state === 'failed') throw new SwiftletError('FunctionCrashed', `the runtime is ${state}`);
    } catch (error) {
      sandbox.kill();
      const { tail } = await sandbox.ended;
      throw new SwiftletError(
        'Internal',
        `the runtime ${sandbox.kind.runtime} did not boot in its sandbox: ${tail.trim() || String(error)}`,
        { cause: error },
      );
    } finally {
      clearTimeout(late);
    }
  }

  #hold(
    record: BootedRecord,
    folder: string,
    exit: Promise<Exit>,
    recorded: Promise<RecordFile | undefined>,
    boot: BootMoments | undefined,
  ): Sandbox {
    const { cgroups, codeWay } = this.#means;
    const cgroup = cgroupOf(record.slot);
    const connection = new RuntimeConnection(`${folder}/${socketName}`);
    let isFrozen = false;
    let paging: AbortController | undefined;
    const swapped = cgroups && new SwappedMemory({ cgroups, cgroup, ask: () => connection.booted() });
    const release = () => {
      paging?.abort();
      if (isFrozen) cgroups?.thaw(cgroup);
      isFrozen = false;
    };
    const thaw = () => {
      if (isFrozen) swapped?.fetch();
      release();
    };
    const kill = () => {
      if (startTimeOf(record.inner) === record.born) killAll([record.inner]);
      // After the signal, so that none of its code runs once more.
      release();
    };
    const show = async (source: string, target: string, linked: string) => {
      if (codeWay.kind === 'mount') codeWay.mounter.bindReadOnly(record.inner, source, target);
      else if (codeWay.kind === 'link') await linkFolder(source, linked);
    };
    const sandbox: Sandbox = {
      slot: record.slot,
      kind: { runtime: record.runtime, memoryMiB: record.memoryMiB, ...(record.custom === undefined ? {} : { custom: record.custom }) },
      pid: record.inner,
      line: record.line,
      socketPath: `${folder}/${socketName}`,
      boot,
      connection,
      ended: exit.then((how) => this.#clear(record.slot, folder, connection, how)),
      async attach(codeFolder, layersFolder) {
        if (codeWay.kind === 'none') return codeFolder;
        await show(codeFolder, inside.code, codeFolderOf(folder));
        if (layersFolder !== undefined) await sandbox.attachLayers(layersFolder);
        return inside.code;
      },
      attachLayers: async (layersFolder) => show(layersFolder, inside.layers, layersFolderOf(folder)),
      limitMemory: (mib) => {
        if (mib !== record.memoryMiB) cgroups?.limit(cgroup, { memoryBytes: mib * mebibyte });
      },
      weigh: (cpuWeight) => cgroups?.limit(cgroup, { cpuWeight }),
      dedicate: async (instance) => (await recorded)?.dedicate(instance),
      freeze: () => {
        cgroups?.freeze(cgroup);
        isFrozen = true;
      },
      thaw,
      hibernate: () => {
        const mine = new AbortController();
        paging = mine;
        this.#movingOut += 1;
        const done = this.#lastPageOut
          .then(() => swapped?.moveOut(mine.signal, () => this.#movingOut === 1))
          .finally(() => (this.#movingOut -= 1));
        this.#lastPageOut = done.catch(() => undefined);
        return done;
      },
      memory: () => cgroups?.memory(cgroup) ?? noMemory,
      memoryBytes: () => cgroups?.counts(cgroup).memoryBytes ?? 0,
      cpuMs: () => processorMs(cgroups?.processes(cgroup) ?? [record.inner]),
      pidsRefused: () => cgroups?.counts(cgroup).pidsRefused ?? 0,
      kill,
    };
    this.#live.add(sandbox);
    void sandbox.ended.then(() => this.#live.delete(sandbox));
    Promise.all([recorded, sandbox.ended])
      .then(([file]) => file?.close())
      .catch((error: unknown) => this.#means.log.warn({ err: error, slot: record.slot }, 'a record could not be closed'));
    if (this.#closed) kill();
    return sandbox;
  }

  async #clear(slot: number, folder: string, connection: RuntimeConnection, exit: Exit): Promise<EndFacts> {
    const { cgroups, relay, driver, exits, slots, log } = this.#means;
    await connection.finish();
    exits.forget(slot);
    const counts = cgroups?.counts(cgroupOf(slot));
    const tail = await relay.close(slot);
    await driver
      .free(slot, folder)
      .catch((error: unknown) => log.error({ err: error, slot }, 'a sandbox left something behind; the next start removes it'));
    slots.release(slot);
    return { exit, oomKills: counts?.oomKills ?? 0, pidsRefused: counts?.pidsRefused ?? 0, tail };
  }
}

/** Resolves when a process that is not our child has ended. */
async function gone({ inner, born }: BootedRecord): Promise<Exit> {
  for (;;) {
    if (startTimeOf(inner) !== born) return { code: null, signal: null };
    await new Promise((resolve) => setTimeout(resolve, goneCheckMs).unref());
  }
}
