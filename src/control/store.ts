import type { FunctionConfig, Version } from '../model/function.ts';
import type { Contents } from '../model/size.ts';
import type { PrivateNetwork } from '../model/private-network.ts';
import type { RolloutPlan } from '../model/rollout.ts';
import type { Change, PublishedFunction, PublishedTenant } from '../wire/published-state.ts';
import type { PublishedToken } from '../model/token.ts';
import type { AuditStore } from './audit/audit-store.ts';
import type { LayerStore } from './layers/layer-store.ts';
import type { LambdaStore } from './lambda/lambda-store.ts';
import type { NetworkStore } from './network-store.ts';
import type { PoolStore } from './pools/pool-store.ts';
import type { SizeStore } from './sizes/size-store.ts';
import type { SecretStore } from './secrets/secret-store.ts';
import type { TenantStore } from './tenant-store.ts';
import type { TokenStore } from './token-store.ts';
import type { Traffic } from './traffic.ts';

/** An artifact as a tenant uploaded it. */
export interface Artifact {
  readonly tenant: string;
  readonly digest: string;
  /** Bytes, packed. */
  readonly size: number;
  /** The paths in it that a handler can be in. */
  readonly files: readonly string[];
  /** What all of its files come to. */
  readonly contents?: Contents;
}

/** A function and the version that takes its requests, or most of them. */
export interface FunctionRecord {
  readonly tenant: string;
  readonly name: string;
  readonly createdAt: string;
  readonly serving: Version;
}

export interface Deployment {
  readonly tenant: string;
  readonly function: string;
  readonly digest: string;
  readonly config: FunctionConfig;
  /** Layers that it has beside those that its configuration names, below them. Absent: none. */
  readonly givenLayers?: readonly string[];
  readonly createdAt: string;
  /** How the version takes over; absent: as its configuration says. The first version of a function has all requests at once. */
  readonly plan?: RolloutPlan;
  /** Which version has to be serving for this to be carried out; `none`: the function must not exist yet. Absent: any. */
  readonly expected?: number | 'none';
}

export type DeployOutcome =
  | {
      readonly kind: 'created';
      readonly version: Version;
      readonly isFirst: boolean;
      readonly traffic: Traffic;
      readonly revision: number;
    }
  /** The serving version is this already, or the one that is being rolled out. */
  | { readonly kind: 'unchanged'; readonly version: Version; readonly serving: number; readonly revision: number }
  | { readonly kind: 'stale'; readonly serving: number | undefined }
  | { readonly kind: 'artifact missing' }
  /** It refers to secrets that are not set, by name. */
  | { readonly kind: 'secrets missing'; readonly names: readonly string[] };

/** @param kept the numbers of the function's versions */
export type TrafficDecision = (traffic: Traffic, kept: ReadonlySet<number>) => Traffic;

export interface TrafficChanged {
  readonly traffic: Traffic;
  readonly revision: number;
}

export interface Page {
  /** Names at most. */
  readonly limit: number;
  /** Only names behind this one. */
  readonly after?: string;
}

/** All that is published. */
export interface Published {
  readonly revision: number;
  readonly functions: readonly PublishedFunction[];
  readonly tokens: readonly PublishedToken[];
  readonly tenants: readonly PublishedTenant[];
  readonly networks: readonly PrivateNetwork[];
}

/**
 * All that the platform must not forget: functions, versions, artifacts, and the revision of what is published.
 *
 * - A promise that resolves means that the change is on disk and survives the machine's death. One that rejects means that
 *   nothing has changed; with SwiftletError StorageFull when the disk is full, and any other error is the store's own trouble.
 * - Every method that writes is carried out as a whole or not at all, and one after the other.
 * - Each deployment, removal, change of traffic, of a tenant, a token or a private network raises the revision by one, and its change goes to all listeners before its promise resolves,
 *   in the order of revisions. Revisions never fall, not over restarts either.
 * - A version's number is never given again to another version of a function of that name, even when the function was removed
 *   in between: `tenant/function@number` means one thing for ever.
 * - Everything belongs to a tenant, and no method tells one tenant of another's, except those that say so.
 * - After `close` every method rejects.
 */
export interface Store extends AsyncDisposable {
  readonly secrets: SecretStore;
  readonly audit: AuditStore;
  /** What is served, of all tenants, with the revision it stands at. */
  snapshot(): Promise<Published>;
  /** Calls the listener with every change from now on, until disposed. */
  watch(listener: (change: Change) => void): Disposable;

  readonly layers: LayerStore;
  readonly pools: PoolStore;
  readonly sizes: SizeStore;
  readonly lambda: LambdaStore;
  readonly tenants: TenantStore;
  readonly tokens: TokenStore;
  readonly networks: NetworkStore;

  /**
   * Remembers an artifact whose content is stored; once more is no mistake, and keeps it from being collected for a while.
   * @throws SwiftletError TenantNotFound, QuotaExceeded
   */
  addArtifact(artifact: Artifact, nowMs: number): Promise<void>;
  findArtifact(tenant: string, digest: string): Promise<Artifact | undefined>;
  /** Keeps an artifact from being collected for a while. @returns whether there is one */
  touchArtifact(tenant: string, digest: string, nowMs: number): Promise<boolean>;
  /** Forgets artifacts of all tenants that no version needs and that nobody has touched since. */
  dropArtifacts(untouchedSinceMs: number): Promise<void>;
  /** Digests that any tenant has. */
  digests(): Promise<ReadonlySet<string>>;

  /**
   * Makes the next version of a function and lets it take over; makes the function when there is none.
   * @throws SwiftletError Conflict while another version is being rolled out; TenantNotFound, QuotaExceeded; NetworkMissing, and
   *   ManifestInvalid for private networks that overlap; LayerMissing; PoolMissing, PoolUnfit; RouteConflict, and Forbidden for a route's host that the tenant was not given
   */
  deploy(deployment: Deployment): Promise<DeployOutcome>;
  /** Forgets a function with all its versions. @returns the revision, or undefined when there was none */
  remove(tenant: string, name: string): Promise<number | undefined>;
  /** In the order of their names. */
  functions(tenant: string, page: Page): Promise<FunctionRecord[]>;
  findFunction(tenant: string, name: string): Promise<FunctionRecord | undefined>;
  /** Newest first. */
  versions(tenant: string, name: string): Promise<Version[]>;
  /** How a function's requests are divided; undefined when there is no such function. */
  traffic(tenant: string, name: string): Promise<Traffic | undefined>;
  /**
   * Changes how a function's requests are divided.
   * @param decide makes of what there is what there is to be; what it returns unchanged changes nothing. It may be called more than once,
   *   and what it throws is what this rejects with
   * @returns undefined when there is no such function
   * @throws SwiftletError SecretMissing, NetworkMissing when a version would get requests whose secrets or private networks are not there;
   *   RouteConflict when another function has a route of it by now
   */
  changeTraffic(tenant: string, name: string, decide: TrafficDecision): Promise<TrafficChanged | undefined>;
  /** Functions of all tenants with a rollout under way. */
  moving(): Promise<{ readonly tenant: string; readonly name: string }[]>;
  /** Forgets versions; never one that the function's traffic needs. */
  dropVersions(tenant: string, name: string, numbers: readonly number[]): Promise<void>;
}
