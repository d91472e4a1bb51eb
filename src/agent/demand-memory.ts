import type { Version } from '../model/function.ts';
import { quotaExceeded } from '../model/tenant.ts';

export interface TenantMemory {
  /** What its instances, and those that start, may take on this host. */
  inUseMiB(tenant: string): number;
  /** There is not enough. */
  lacking(): void;
}

/**
 * Whether a tenant's quota has room for one more instance.
 * @throws SwiftletError QuotaExceeded
 */
export function demandMemory({ tenant, config }: Version, quotaMiB: number | undefined, memory: TenantMemory): void {
  if (quotaMiB === undefined) return;
  const inUseMiB = memory.inUseMiB(tenant);
  if (inUseMiB + config.memoryMiB <= quotaMiB) return;
  memory.lacking();
  throw quotaExceeded(tenant, 'memoryMiB', quotaMiB, `its instances have ${inUseMiB} MiB of this host`);
}
