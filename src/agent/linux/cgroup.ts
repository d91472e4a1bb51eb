export const controllers = ['memory', 'pids', 'cpu'] as const;
export type Controller = (typeof controllers)[number];

export interface CgroupLimits {
  readonly memoryBytes?: number;
  readonly pids?: number;
  /** CPUs' worth of time, such as 1.5. */
  readonly cpus?: number;
  /** Its share where processors are short, from 1 to 10,000; 100 is what others have. */
  readonly cpuWeight?: number;
}

/** What the kernel has counted against a cgroup. */
export interface CgroupCounts {
  readonly oomKills: number;
  /** Forks that were refused at the limit. */
  readonly pidsRefused: number;
  readonly memoryBytes: number;
}

/** Of what only its processes have, not of the files that they read. */
export interface CgroupMemory {
  /** What lies in memory, with what was written to swap and has not been let go of. */
  readonly privateBytes: number;
  /** Of that, what was written to swap already: the kernel lets go of it when it is short of memory, or asked to. */
  readonly swapCachedBytes: number;
  readonly swappedBytes: number;
}

/**
 * The cgroups of one Swiftlet on this host, below one folder of its own. All calls are synchronous and touch the kernel only;
 * `place` may take some ms (the kernel waits for a grace period), the others some 10 µs.
 * Names are the caller's; a name that does not exist reads as empty and is removed without an error.
 */
export interface CgroupTree {
  readonly version: 1 | 2;
  /** What can be limited here. A limit without its controller is left out; `missing` says why. */
  readonly available: ReadonlySet<Controller>;
  readonly missing: string | undefined;
  /** Whether `freeze` does anything here. */
  readonly canFreeze: boolean;
  create(name: string, limits: CgroupLimits): void;
  limit(name: string, limits: CgroupLimits): void;
  place(name: string, pids: readonly number[]): void;
  /** Lets no process in it run, until `thaw`. Those in the middle of a system call that cannot be interrupted stop right after it. */
  freeze(name: string): void;
  /** In version 1 a process that is frozen ends by no signal before it is thawed. Does nothing for one that is not frozen. */
  thaw(name: string): void;
  counts(name: string): CgroupCounts;
  /** Of one, or of all together. */
  memory(name?: string): CgroupMemory;
  /** Whether what is in it may be moved to swap; at first it may not. Version 1 has no such switch: there only hibernation moves anything. */
  allowSwap(name: string, allowed: boolean): void;
  /** Lets go of what was written to swap, and waits for what is being written. Some ms in a thread of its own; does nothing where the kernel cannot. */
  dropSwapCached(name: string): Promise<void>;
  processes(name: string): number[];
  names(): string[];
  /** @returns false when processes are still in it */
  remove(name: string): boolean;
  /** Removes the folder of its own, with the empty cgroups in it. */
  close(): void;
}

/** `cpu.max`, `cpu.cfs_quota_us`: how long a throttled cgroup waits at most. */
export const cpuPeriodUs = 100_000;

/** Where the hierarchies are mounted: version 1 by controller. */
export interface CgroupMounts {
  readonly v2: string | undefined;
  readonly v1: ReadonlyMap<string, string>;
}
