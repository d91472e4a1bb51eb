import { defaultTenantInFlight, lambdaPackage } from '../../model/limits.ts';
import type { Asking, LambdaOperation, OperationMeans } from './operation.ts';

const mebibyte = 1024 * 1024;

export const accountOperations: readonly LambdaOperation[] = [
  { method: 'GET', url: '/2016-08-19/account-settings', right: 'read', status: 200, run: getAccountSettings },
];

/** What a tenant may have, and has: its quotas, and where it has none what the platform allows. */
async function getAccountSettings({ store, publisher }: OperationMeans, { tenant }: Asking): Promise<object> {
  const { functions, storageBytes } = await store.tenants.use(tenant);
  const { storageMiB, concurrency = defaultTenantInFlight } = publisher.state.tenants.get(tenant)?.quotas ?? {};
  return {
    AccountLimit: {
      TotalCodeSize: storageMiB === undefined ? Number.MAX_SAFE_INTEGER : storageMiB * mebibyte,
      CodeSizeUnzipped: lambdaPackage.unpackedBytes,
      CodeSizeZipped: lambdaPackage.packedBytes,
      ConcurrentExecutions: concurrency,
      UnreservedConcurrentExecutions: concurrency,
    },
    AccountUsage: { TotalCodeSize: storageBytes, FunctionCount: functions },
  };
}
