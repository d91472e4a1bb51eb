import type { EndFacts } from '../end-reason.ts';
import type { RuntimeConnection } from '../runtime-connection.ts';
import type { SlotRecord } from '../slot-record.ts';

/** What cannot be changed once a sandbox has booted; a pool holds sandboxes of one kind. */
export interface SandboxKind {
  readonly runtime: SlotRecord['runtime'];
  readonly heapMiB: number;
}

export const kindKey = (kind: SandboxKind): string => `${kind.runtime}/${kind.heapMiB}`;

const heapClasses = [64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 10_240] as const;
/** What of an instance's memory V8's old space may have; the rest is for its young space, code and buffers. */
const heapShare = 0.75;

/** The kind of sandbox a function needs. Memory is rounded up to a class, so that few pools serve all. */
export function kindOf(config: { readonly runtime: SandboxKind['runtime']; readonly memoryMiB: number }): SandboxKind {
  const memory = heapClasses.find((size) => size >= config.memoryMiB) ?? config.memoryMiB;
  return { runtime: config.runtime, heapMiB: Math.floor(memory * heapShare) };
}

/** A sandbox whose runtime has booted. It serves one version at most, and never goes back to a pool. */
export interface Sandbox {
  readonly slot: number;
  readonly kind: SandboxKind;
  readonly record: SlotRecord;
  readonly socketPath: string;
  readonly connection: RuntimeConnection;
  /** Resolves when its last process is gone and nothing of it is left on the host. Never rejects. */
  readonly ended: Promise<EndFacts>;
  /** Lets a folder of code in. Once. @returns where it lies inside */
  attach(codeFolder: string): Promise<string>;
  /** Holds it to a function's memory from now on. */
  limitMemory(bytes: number): void;
  /** Writes down whose it is from now on, for a later agent. */
  dedicate(instance: NonNullable<SlotRecord['instance']>): Promise<void>;
  memoryBytes(): number;
  pidsRefused(): number;
  /** Ends all its processes at once; `ended` resolves soon after. May be called any number of times. */
  kill(): void;
}
