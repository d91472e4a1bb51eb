import { defaultTenant } from './names.ts';

/** Before a tenant's name in a path: `/@acme/hello/`. No function's name has it. */
export const tenantMark = '@';

/** What the addresses of a tenant's functions begin with. The first tenant's need nothing. */
export const tenantPath = (tenant: string): string => (tenant === defaultTenant ? '' : `/${tenantMark}${tenant}`);
