import { SwiftletError } from '../model/errors.ts';

/** The same for one that is not there and for one that the caller has nothing to do with. */
export const tenantMissing = (name: string): SwiftletError =>
  new SwiftletError('TenantNotFound', `there is no tenant "${name}"; "swiftlet tenant list" shows those that this token is for`, {
    place: 'tenant',
  });
