/** The contract of a way to isolate. Its implementations stand beside this file; test/agent/sandbox-driver.contract.ts holds them to it. */

import type { Language } from '../../model/runtimes.ts';
import type { Line } from '../network/address-plan.ts';

export interface BootSpec {
  /** The sandbox's number on this host; unique among the living, taken again after `free`. */
  readonly slot: number;
  /** A folder of its own for the slot, which exists: `instance.sock` and `out.fifo` are made in it. */
  readonly folder: string;
  readonly runtime: RuntimeFiles;
  /** What it may take, in MiB, until it has a function of its own. V8's heap is cut to it for the process's life. */
  readonly memoryMiB: number;
}

/** What of a runtime is shown to a sandbox. */
export interface RuntimeFiles {
  readonly language: Language;
  /** The interpreter's path on this host. */
  readonly interpreter: string;
  /** A folder of this host that it needs, and where sandboxes have it; absent: it lies below /usr, which they all have. */
  readonly shown?: { readonly source: string; readonly target: string };
  /** The folder of the runtime's own code, with `boot.cjs` or `boot.py`. */
  readonly folder: string;
}

/** The processes of a sandbox, as this host numbers them. */
export interface SandboxProcesses {
  /** Its cable to the host’s router; absent where it has a loopback and nothing else. Nothing goes through until it is bound. */
  readonly line?: Line;
  /** The process that this one started. */
  readonly outer: number;
  /** The process whose end is the end of all others in the sandbox. */
  readonly inner: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface SandboxDriver extends AsyncDisposable {
  /**
   * Starts a sandbox with a runtime in it that listens on `<folder>/instance.sock` and writes to `<folder>/out.fifo`. Resolves when
   * the socket takes connections; the runtime may need some ms more to answer. Rejects with everything taken back.
   */
  boot(spec: BootSpec): Promise<SandboxProcesses>;
  /**
   * Called once for every sandbox that was booted here and has ended, for whatever reason, after its last process is gone.
   * Nothing is called for a sandbox that an earlier process of the platform started.
   */
  onExit: (slot: number, exit: Exit) => void;
  /** Removes what is left of a sandbox whose processes are gone: cgroup and folder. May be called for slots that never were. */
  free(slot: number, folder: string): Promise<void>;
}

/** Inside every sandbox. The same places as on AWS Lambda, so that code that knows them finds them. */
export const inside = {
  code: '/var/task',
  layers: '/opt',
  runtime: '/var/runtime',
  binFolder: '/var/lang/bin',
  /** The user that the sandbox's processes see themselves as. */
  uid: 1000,
} as const;

export const socketName = 'instance.sock';
export const fifoName = 'out.fifo';

/** Where the code of a sandbox is put when nothing can be mounted into it. */
export const codeFolderOf = (slotFolder: string): string => `${slotFolder}/code`;
/** The same of its layers. */
export const layersFolderOf = (slotFolder: string): string => `${slotFolder}/layers`;
/** Where layers have libraries for native code. */
export const librariesOf = (layersFolder: string): string => `${layersFolder}/lib`;

/** What has to be there of a slot before a sandbox starts that is shown folders of it. */
export const shownFoldersOf = (slotFolder: string): string[] => [codeFolderOf(slotFolder), librariesOf(layersFolderOf(slotFolder))];
/** A cgroup's name for a slot. */
export const cgroupOf = (slot: number): string => `slot-${slot}`;
/** Names the slot's folder in the environment of a sandbox that is not isolated. */
export const tmpVariable = 'TMPDIR';
/** What of a sandbox's memory V8's old space may have; the rest is for its young space, code and buffers. */
const heapShare = 0.75;

/** The flags that Node.js is started with. */
export const nodeFlags = (memoryMiB: number): string[] => [
  `--max-old-space-size=${Math.floor(memoryMiB * heapShare)}`,
  '--disable-warning=ExperimentalWarning',
];

/**
 * The command that a runtime is started with.
 * @param interpreter and its code's folder, as the process will see them
 */
export function runtimeCommand(language: Language, interpreter: string, runtimeFolder: string, memoryMiB: number): string[] {
  switch (language) {
    case 'nodejs':
    case 'program':
      return [interpreter, ...nodeFlags(memoryMiB), `${runtimeFolder}/boot.cjs`];
    case 'python':
      // Without the host's own packages and the platform's variables: a function has what its bundle has, on every host.
      return [interpreter, '-I', '-S', '-B', '-X', 'utf8', `${runtimeFolder}/boot.py`];
  }
}

/** Where a sandbox has its interpreter. */
export const interpreterInside = ({ interpreter, shown }: RuntimeFiles): string =>
  shown === undefined ? interpreter : shown.target + interpreter.slice(shown.source.length);

/** The descriptor on which the runtime finds its listening socket. */
export const controlDescriptor = 3;
