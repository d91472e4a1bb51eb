import { languageOf } from '../../model/runtimes.ts';
import type { EndFacts } from '../end-reason.ts';
import type { CgroupMemory } from '../linux/cgroup.ts';
import type { Line } from '../network/address-plan.ts';
import type { RuntimeConnection } from '../runtime-connection.ts';
import type { BootedRecord, InstanceRecord } from '../slot-record.ts';
import type { BootMoments } from '../start-times.ts';

/** What cannot be changed once a sandbox has booted; a pool holds sandboxes of one kind. */
export interface SandboxKind {
  readonly runtime: BootedRecord['runtime'];
  /** The class of memory it is for: its limit until it has a function, and what V8's heap is cut to. */
  readonly memoryMiB: number;
}

export const kindKey = (kind: SandboxKind): string => `${kind.runtime}/${kind.memoryMiB}`;

const memoryClasses = [64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 10_240] as const;

/** A program's memory is its own: what runs beside it has the same heap for all. */
const programKind: SandboxKind = { runtime: 'provided', memoryMiB: 128 };

/** The kind of sandbox a function needs. Memory is rounded up to a class, so that few pools serve all. */
export function kindOf(config: { readonly runtime: SandboxKind['runtime']; readonly memoryMiB: number }): SandboxKind {
  if (languageOf(config.runtime) === 'program') return programKind;
  return { runtime: config.runtime, memoryMiB: memoryClasses.find((size) => size >= config.memoryMiB) ?? config.memoryMiB };
}

/** A sandbox whose runtime has booted. It serves one version at most, and never goes back to a pool. */
export interface Sandbox {
  readonly slot: number;
  readonly kind: SandboxKind;
  /** Its first process, as the host numbers it. */
  readonly pid: number;
  readonly socketPath: string;
  /** Its cable to the host’s router; undefined when it has none. */
  readonly line: Line | undefined;
  /** When it was made; undefined for one that an earlier agent made. */
  readonly boot: BootMoments | undefined;
  readonly connection: RuntimeConnection;
  /** Resolves when its last process is gone and nothing of it is left on the host. Never rejects. */
  readonly ended: Promise<EndFacts>;
  /** Lets a folder of code in, and one of layers if there is one. Once. @returns where the code lies inside */
  attach(codeFolder: string, layersFolder?: string): Promise<string>;
  /** Holds it to a function's memory from now on. */
  limitMemory(mib: number): void;
  /** Its share where processors are short; see `CgroupLimits`. */
  weigh(cpuWeight: number): void;
  /** Writes down whose it is from now on, for a later agent. */
  dedicate(instance: InstanceRecord): Promise<void>;
  /** Stops all its processes where they are, until `thaw` or `kill`. Only where `Sandboxes.canFreeze`; takes some 10 µs. */
  freeze(): void;
  /** Lets them go on. Does nothing when they are not frozen. */
  thaw(): void;
  /**
   * Moves what only it has in memory to swap, while it is frozen. Resolves when that is done, or when it was thawed or killed meanwhile. One
   * sandbox after the other; only where the host can.
   */
  hibernate(): Promise<void>;
  memoryBytes(): number;
  /** What only it has, in memory and in swap. */
  memory(): CgroupMemory;
  /** Processor time of its processes that live, in milliseconds; reads a file for each of them. */
  cpuMs(): number;
  pidsRefused(): number;
  /** Ends all its processes at once; `ended` resolves soon after. May be called any number of times. */
  kill(): void;
}
