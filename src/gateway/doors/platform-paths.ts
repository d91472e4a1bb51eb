/** What lies under `/_/`: the platform's own. */
import { tenantMark, tenantPath } from '../../model/tenant-path.ts';

const invokePrefix = '/invoke/';
const eventPrefix = '/events/';

/** Where the state of an event is. */
export const eventPath = (tenant: string, id: string): string => `/_/events${tenantPath(tenant)}/${id}`;

export type PlatformPath =
  | { readonly kind: 'health' }
  /** `/invoke/<function>` or `/invoke/@<tenant>/<function>`; a tenant that is not named is the caller's own. */
  | { readonly kind: 'invoke'; readonly tenant: string | undefined; readonly name: string }
  | { readonly kind: 'event'; readonly tenant: string | undefined; readonly id: string }
  | { readonly kind: 'unknown' };

/** @param path what follows `/_` */
export function platformPath(path: string): PlatformPath {
  if (path === '/health') return { kind: 'health' };
  if (path.startsWith(invokePrefix)) {
    const [tenant, name] = tenantAndRest(path.slice(invokePrefix.length));
    return { kind: 'invoke', tenant, name };
  }
  if (path.startsWith(eventPrefix)) {
    const [tenant, id] = tenantAndRest(path.slice(eventPrefix.length));
    return { kind: 'event', tenant, id };
  }
  return { kind: 'unknown' };
}

function tenantAndRest(rest: string): [tenant: string | undefined, rest: string] {
  const end = rest.indexOf('/');
  return rest.startsWith(tenantMark) && end > 0 ? [rest.slice(tenantMark.length, end), rest.slice(end + 1)] : [undefined, rest];
}
