import { createHash } from 'node:crypto';
import type { Version } from '../../model/function.ts';
import { memoryClassOf } from '../../model/memory-class.ts';
import { languageOf } from '../../model/runtimes.ts';
import type { CustomKind } from '../custom-kind.ts';
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
  /** Present when a tenant's modules are in it: it is for functions of this tenant's that use the pool, and for nobody else. */
  readonly custom?: CustomKind | undefined;
}

export const kindKey = ({ runtime, memoryMiB, custom }: SandboxKind): string =>
  custom === undefined ? `${runtime}/${memoryMiB}` : `${runtime}/${memoryMiB}/${custom.key}`;

/** A program's memory is its own: what runs beside it has the same heap for all. */
const programKind: SandboxKind = { runtime: 'provided', memoryMiB: 128 };

/** The kind of sandbox a function needs. Memory is rounded up to a class, so that few pools serve all. */
export function kindOf(config: { readonly runtime: SandboxKind['runtime']; readonly memoryMiB: number }): SandboxKind {
  if (languageOf(config.runtime) === 'program') return programKind;
  return { runtime: config.runtime, memoryMiB: memoryClassOf(config.memoryMiB) };
}

/** The same, of the custom pool that a version uses; what its configuration says alone when it uses none. */
export function kindFor({ tenant, config, pool }: Pick<Version, 'tenant' | 'config' | 'pool'>): SandboxKind {
  const kind = kindOf(config);
  return pool === undefined ? kind : { ...kind, custom: { ...pool, tenant, key: customKey(tenant, pool) } };
}

/** Of every start: what it is of is made once for each version. */
const customKeys = new WeakMap<object, string>();

function customKey(tenant: string, pool: NonNullable<Version['pool']>): string {
  const known = customKeys.get(pool);
  if (known !== undefined) return known;
  const { name, layerDigests, preload, minimum, maximum } = pool;
  const text = JSON.stringify([tenant, name, layerDigests, preload, minimum, maximum]);
  const key = `${tenant}/${name}/${createHash('sha256').update(text).digest('hex').slice(0, shownDigits)}`;
  customKeys.set(pool, key);
  return key;
}

const shownDigits = 16;

/** Whether a sandbox has all layers of a version already. */
export const hasLayersOf = ({ kind: { custom } }: Pick<Sandbox, 'kind'>, { layerDigests = [] }: Pick<Version, 'layerDigests'>): boolean =>
  // They begin with those of its pool.
  custom !== undefined && custom.layerDigests.length === layerDigests.length;

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
  /** Lets a folder of layers in alone, before it is known whose code will be. */
  attachLayers(layersFolder: string): Promise<void>;
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
