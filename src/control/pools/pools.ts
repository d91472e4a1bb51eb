/** Custom pools as the API has them: made when the host has room for them, and removed once nothing uses them. */
import type { PoolSettings } from '../../model/custom-pool.ts';
import type { PoolRecord, PoolStore } from './pool-store.ts';
import { poolExists, poolInUse, poolNotFound, poolUnfit } from './refusals.ts';

/** What a host gives; of several agents each, since each keeps a pool of its own for the functions that it serves. */
export interface PoolRoom {
  readonly maxSandboxes: number;
  /** For all warm sandboxes together; absent: no limit. */
  readonly poolMemoryMiB?: number | undefined;
  /** Agents; absent: one. */
  readonly count?: number | undefined;
}

/** @throws SwiftletError PoolUnfit with the figures */
export function checkRoom(
  { memoryMiB, minimum, maximum }: PoolSettings,
  { maxSandboxes, poolMemoryMiB = Infinity, count = 1 }: PoolRoom,
): void {
  const who = count === 1 ? 'this host' : `each of this host's ${count} agents`;
  if (maximum > maxSandboxes)
    throw poolUnfit(
      `a pool of up to ${maximum} sandboxes is too large for ${who}, which runs ${maxSandboxes} altogether; lower "maximum" or raise SWIFTLET_MAX_SANDBOXES`,
      'maximum',
    );
  const least = minimum * memoryMiB;
  if (least > poolMemoryMiB)
    throw poolUnfit(
      `${minimum} warm sandboxes of up to ${memoryMiB} MiB may take ${least} MiB, and ${who} has ${poolMemoryMiB} MiB for all that are warm; lower "minimum" or "memoryMiB", or raise SWIFTLET_POOL_MEMORY_MIB`,
      'minimum',
    );
}

/** @throws SwiftletError PoolUnfit, PoolExists, LayerMissing, QuotaExceeded */
export async function createPool(
  pools: PoolStore,
  { tenant, name, createdAt }: Pick<PoolRecord, 'tenant' | 'name' | 'createdAt'>,
  settings: PoolSettings,
  room: PoolRoom,
): Promise<{ readonly pool: PoolRecord; readonly created: boolean }> {
  checkRoom(settings, room);
  const made = await pools.create(tenant, name, settings, createdAt);
  if (made.kind === 'exists') throw poolExists(name);
  return { pool: made.pool, created: made.kind === 'created' };
}

/** @throws SwiftletError PoolNotFound */
export async function findPool(pools: PoolStore, tenant: string, name: string): Promise<PoolRecord> {
  const found = await pools.find(tenant, name);
  if (found === undefined) throw poolNotFound(name);
  return found;
}

/** @throws SwiftletError PoolNotFound, PoolInUse */
export async function removePool(pools: PoolStore, tenant: string, name: string): Promise<void> {
  const removed = await pools.remove(tenant, name);
  if (removed.kind === 'missing') throw poolNotFound(name);
  if (removed.kind === 'in use') throw poolInUse(name, removed.functions);
}
