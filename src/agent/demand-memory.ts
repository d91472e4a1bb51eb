import type { Version } from '../model/function.ts';
import { quotaExceeded } from '../model/tenant.ts';

/**
 * Whether a tenant's quota has room for one more instance.
 * @param there versions of all instances and starts on this host, one for each
 * @throws SwiftletError QuotaExceeded
 */
export function demandMemory({ tenant, config }: Version, quotaMiB: number | undefined, there: () => Iterable<Version>): void {
  if (quotaMiB === undefined) return;
  let inUseMiB = 0;
  for (const version of there()) if (version.tenant === tenant) inUseMiB += version.config.memoryMiB;
  if (inUseMiB + config.memoryMiB > quotaMiB)
    throw quotaExceeded(tenant, 'memoryMiB', quotaMiB, `its instances have ${inUseMiB} MiB of this host`);
}
