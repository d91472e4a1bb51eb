/** What the instances of a host need of the rest of its agent. */
import type { Logger } from 'pino';
import type { Version } from '../model/function.ts';
import type { VersionTarget } from '../wire/scale-calls.ts';
import type { Started, StartOrder } from './cold-start.ts';
import type { EndReason } from './end-reason.ts';
import type { Instance } from './instance.ts';
import type { PageOuts } from './page-outs.ts';
import type { PlaceSharing } from './place-sharing.ts';
import type { SlotSharing } from './slot-sharing.ts';
import type { Uses } from './uses.ts';

export interface InstancesMeans {
  /** Takes a booted sandbox for a version and loads its code: the cold start itself. Ends the sandbox when it throws. */
  start(version: Version, start: StartOrder): Promise<Started>;
  /** Which values of its secrets a version would be started with now; undefined while that is not known. */
  secretStamp(version: Version): string | undefined;
  /** Whether a version takes requests, or is about to. */
  isServed(version: Version): boolean;
  /** Instances of a version that are kept even without traffic. */
  minimum(version: Version): number;
  /** Instances that a version's function may have here, all versions together; absent: what the function says, or the autoscaler. */
  readonly maximum?: (version: Version) => number;
  /** An instance was refused for the want of it: another agent may have some. */
  readonly lacks?: (version: Version, what: 'instances' | 'memory') => void;
  /** What the instances of a tenant may have of this host's memory together; undefined: no limit. */
  memoryQuotaMiB(tenant: string): number | undefined;
  /** What the autoscaler wants of a version; undefined while it says nothing. */
  target(version: Version): VersionTarget | undefined;
  /** Tells all gateways that an instance is gone. */
  announceEnd(instance: Instance, reason: EndReason): void;
  /** Whose turn it is on a host that fills up. */
  readonly places: Pick<PlaceSharing, 'mayStart' | 'makeRoomFor' | 'isYielding'>;
  /** There when several gateways may want the same instances. */
  readonly slots?: SlotSharing | undefined;
  /** Whether this host can freeze. */
  readonly canFreeze: boolean;
  /** Where it is noted when versions are used, and what their starts take. */
  readonly uses: Pick<Uses, 'used' | 'started'>;
  readonly pageOuts: Pick<PageOuts, 'begin'>;
  /** After how long without requests an instance of a version is hibernated; infinite while this host cannot. */
  hibernateMs(version: Version): number;
  now(): number;
  readonly log: Logger;
}
