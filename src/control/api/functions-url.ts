import { tenantPath } from '../../model/tenant-path.ts';
import type { RoleConfig } from '../../role/role-config.ts';

/** Where a tenant's functions are, without a slash at the end. */
export const functionsUrl = ({ gateway }: Pick<RoleConfig, 'gateway'>, tenant: string): string =>
  `http://${gateway.host}:${gateway.port}${tenantPath(tenant)}`;
