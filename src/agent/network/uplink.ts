/** What the router hangs on: as root a cable to the host, without root's rights a process of the user's. Everything else is the same. */
import type { TunnelKind } from './private/tunnel.ts';
import type { ResolverSettings } from './resolver-messages.ts';
import type { Router } from './router.ts';

export interface Uplink {
  readonly router: Router;
  /** Where whoever starts sandboxes finds the router’s namespace. */
  readonly routerPath: string;
  /** Groups of the kernel’s log that tell of refusals, beside the router’s; on the host. */
  readonly hostGroups: readonly number[];
  readonly tunnels: TunnelKind;
  readonly resolver: Pick<ResolverSettings, 'uid' | 'isApart'>;
}
