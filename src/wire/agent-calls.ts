/** What gateways and an agent say to each other. The agent serves; all bodies are parsed by these schemas at its door. */
import { z } from 'zod';
import { isErrorCode } from '../model/errors.ts';
import { startTimesSchema } from '../model/phases.ts';

/**
 * Ask `acquire`: an instance of this version, a waiting one if there is one, else a cold start. Answered with `AcquiredInstance`.
 * A cold start has the id that is given here, and is announced by `starting` as soon as it has a sandbox.
 */
export const acquireSchema = z.object({ tenant: z.string(), function: z.string(), number: z.int(), instanceId: z.uuid() });
/** Ask `acquire resting`: one that is there and that nobody has, or slots of one; nothing is started. `NotFound` when there is none. */
export const acquireRestingSchema = acquireSchema.omit({ instanceId: true });
export type Acquire = z.output<typeof acquireSchema>;

const ms = z.number();
export const acquiredSchema = z.object({
  instanceId: z.string(),
  /** The instance's own socket, on this host. */
  socketPath: z.string(),
  /** Places for concurrent requests that the lease is on: all of the instance's, or what other gateways leave of them. */
  slots: z.int().min(1),
  /** How it was found: ready, frozen, hibernated, or not at all. */
  start: z.enum(['warm', 'thawed', 'awakened', 'cold']),
  /** Of a cold one. */
  ...startTimesSchema.shape,
  /** One of those that its function always has. The gateway keeps it for as long as its version serves. */
  isProvisioned: z.boolean(),
  /** How long the gateway keeps another one without requests; then it is to give the lease back, since the agent freezes or ends it. */
  idleLimitMs: ms,
  /** The lease ends by itself after this, unless renewed. */
  leaseMs: ms,
});
export type AcquiredInstance = z.output<typeof acquiredSchema>;

/** Notice `starting`: an instance has its sandbox, and takes connections; what is sent to it waits until it is initialised. */
export const startingSchema = z.object({ instanceId: z.string(), socketPath: z.string() });
export type Starting = z.output<typeof startingSchema>;

/** Notice `start failed`, before the refusal that says why: how far an instance came that was asked for. */
export const startFailedSchema = startTimesSchema.extend({ instanceId: z.string() });
export type StartFailed = z.output<typeof startFailedSchema>;

/**
 * Notice `withdraw`: nobody waits any more for these, which were asked for. Those without a sandbox are not started, and their `acquire` is
 * answered with `Unavailable`; with the others it goes on as if nothing had been said.
 */
export const withdrawSchema = z.object({ instanceIds: z.array(z.string()) });

/**
 * Notice `release`: the gateway has no request on the instance and gives its lease back, with its connection. The agent keeps the
 * instance, ready or frozen, for the rest of its idle time and may lease it again; a one-shot one it ends.
 */
export const releaseSchema = z.object({
  instanceId: z.string(),
  idleSinceMsAgo: ms,
  /** So many of its slots only, which it does not use; the lease goes on with the others. */
  slots: z.int().min(1).optional(),
});

/** Notice `spare`, from an agent: another gateway lacks slots of this version. Answered by `release` of what is not used, and then `spared`. */
export const spareSchema = z.object({
  tenant: z.string(),
  function: z.string(),
  number: z.int(),
  slots: z.int().min(1),
  /** No more instances can be started: what is in use now is given, too, as soon as it is not. */
  isUrgent: z.boolean(),
  /** Absent: nobody waits for `spared`. */
  ask: z.int().optional(),
});
export type Spare = z.output<typeof spareSchema>;
export const sparedSchema = z.object({ ask: z.int() });

/** Notice `discard`: the instance must serve nobody again (it timed out, or broke the protocol). Answered by `ended` to all. */
export const discardSchema = z.object({ instanceId: z.string(), code: z.string().refine(isErrorCode), detail: z.string() });

/** Notice `renew`, every `renewEveryMs`: the leases that this gateway still holds. Also sent in its greeting, as `holds`. */
export const renewSchema = z.object({ instanceIds: z.array(z.string()), slots: z.array(z.int()).optional() });

export const leaseMs = 15_000;
export const renewEveryMs = 5_000;

/** Notice `ended`, to every gateway: this instance is gone, and why. */
export const endedSchema = z.object({ instanceId: z.string(), code: z.string().refine(isErrorCode), detail: z.string() });
export type Ended = z.output<typeof endedSchema>;

/** The gateway's greeting. */
export const gatewayGreetingSchema = z.object({
  role: z.literal('gateway'),
  holds: z.array(z.string()),
  /** Of each how many slots; absent: all. */
  slots: z.array(z.int()).optional(),
  /** Tells one gateway from another, over all its connections. */
  process: z.string().optional(),
});

/** Ask `instances`: what is there, for `describe` and the metrics. */
export const instanceSummarySchema = z.object({
  instanceId: z.string(),
  tenant: z.string(),
  function: z.string(),
  version: z.int(),
  state: z.enum(['starting', 'leased', 'idle', 'frozen', 'hibernated', 'spent', 'ending']),
  /** One of those that its function always has. */
  provisioned: z.boolean(),
  startedAt: z.string(),
  memoryBytes: z.number(),
  /** Its first process, as the host numbers it. */
  pid: z.int(),
  /** The number of its agent, from 1 on, where there are several. */
  agent: z.int().optional(),
});
export const instancesSchema = z.array(instanceSummarySchema);
export type InstanceSummary = z.output<typeof instanceSummarySchema>;

/** Ask `provisioned`: of each version that serves and wants instances at all times, how many there are. */
export const provisionedSchema = z.object({
  tenant: z.string(),
  function: z.string(),
  version: z.int(),
  requested: z.int().min(0),
  ready: z.int().min(0),
  /** Why some are missing: the last start, or the last instance, that failed. */
  failed: z.object({ code: z.string().refine(isErrorCode), detail: z.string() }).optional(),
});
export type ProvisionedStatus = z.output<typeof provisionedSchema>;
export const provisionedAnswerSchema = z.array(provisionedSchema);
/** Ask `warmth`, from control: how many instances of a version can take requests, and what kept the last one from starting. */
export const askWarmthSchema = z.object({ tenant: z.string(), function: z.string(), number: z.int() });
export const warmthSchema = z.object({
  ready: z.int(),
  /** Absent when the last start went well, or none was tried. */
  failure: z.object({ code: z.string().refine(isErrorCode), detail: z.string() }).optional(),
});
export type Warmth = z.output<typeof warmthSchema>;

/** Ask `network`, from control: what a function's own connections came to since the agent started. */
export const askNetworkSchema = z.object({ tenant: z.string(), function: z.string() });
const counted = z.int().min(0);
export const networkCountsSchema = z.object({
  sentBytes: counted,
  receivedBytes: counted,
  /** New connections that were let through, over UDP too. */
  connections: counted,
  /** Packets that were refused: each try to connect is one at least. */
  refused: counted,
});
export type NetworkCounts = Readonly<z.output<typeof networkCountsSchema>>;
/** Absent where functions have no network. */
export const networkAnswerSchema = z.object({ counts: networkCountsSchema.optional() });

/** Ask `bundle`, from control: what became of a version's code on this host. */
export const askBundleSchema = z.object({ tenant: z.string(), function: z.string(), number: z.int() });
export const bundleStateSchema = z.discriminatedUnion('kind', [
  /** It starts as one file, with what V8 made of it. */
  z.object({ kind: z.literal('bundled') }),
  /** It starts as it is. Without a reason it was not worth more. */
  z.object({ kind: z.literal('plain'), why: z.string() }),
  /** It is being made. */
  z.object({ kind: z.literal('pending') }),
]);
export type BundleState = Readonly<z.output<typeof bundleStateSchema>>;
export const bundleAnswerSchema = z.object({
  state: bundleStateSchema.optional(),
  /** Of one file: the packages of npm that it was made of, by their paths. Told by the tenant's own sandbox. */
  reached: z.array(z.string()).readonly().optional(),
});
export type BundleAnswer = Readonly<z.output<typeof bundleAnswerSchema>>;

/** Ask `pool`, from control: how many sandboxes of a custom pool are warm on this host. */
export const askCustomPoolSchema = z.object({ tenant: z.string(), name: z.string() });
export const customPoolStatusSchema = z.object({
  /** Sandboxes that are to be warm, that are, and that boot and import now. */
  target: z.int(),
  ready: z.int(),
  booting: z.int(),
  /** What one takes of the host's memory; 0 while none was looked at. */
  memoryBytes: z.number(),
  /** Modules that could not be imported, with the reason, as the last sandbox told; or why none could be made. */
  failures: z.array(z.string()),
});
export type CustomPoolStatus = Readonly<z.output<typeof customPoolStatusSchema>>;
/** Absent when no version that is published uses it. */
export const customPoolAnswerSchema = z.object({ pool: customPoolStatusSchema.optional() });

/** Ask `builds`: whether dependencies can be installed on this host, in sandboxes that reach registries and nothing else. */
export const buildsSchema = z.object({
  available: z.boolean(),
  detail: z.string(),
  /** The same of packages for Python. */
  python: z
    .object({
      available: z.boolean(),
      detail: z.string(),
      /** What packages are installed for; absent when they cannot be. */
      version: z.string().optional(),
    })
    .optional(),
});
export type BuildsAnswer = z.output<typeof buildsSchema>;

/** Ask `privateNetwork`, from control: how the tunnels of a private network are. */
export const askPrivateNetworkSchema = z.object({ tenant: z.string(), name: z.string() });
export const privateNetworkStates = ['unused', 'connecting', 'connected', 'degraded', 'cut', 'failed'] as const;
export const proxyStateSchema = z.object({
  address: z.string(),
  /** What the proxy is started with, as `--tunnel`, and, as `--platform`, this host’s address as the proxy sees it. */
  tunnel: z.int(),
  platform: z.string().optional(),
  health: z.enum(['unknown', 'up', 'returning', 'down']),
  isActive: z.boolean(),
  /** What it counted since it was started, as it said last. */
  counts: networkCountsSchema.optional(),
});
export const privateNetworkStateSchema = z.object({
  state: z.enum(privateNetworkStates),
  /** What is wrong, and what to do about it. */
  detail: z.string().optional(),
  proxies: z.array(proxyStateSchema),
});
export type PrivateNetworkState = Readonly<z.output<typeof privateNetworkStateSchema>>;
/** Absent where functions have no network, and for one that the agent does not know yet. */
export const privateNetworkAnswerSchema = z.object({ network: privateNetworkStateSchema.optional() });

/** Ask `isolation`: what keeps functions apart on this host, and what is missing. The mode is the best that the machine can run. */
export const isolationSchema = z.object({
  mode: z.string(),
  facts: z.array(z.object({ means: z.string(), inForce: z.boolean(), detail: z.string(), remedy: z.string().optional() })),
});
export type IsolationAnswer = z.output<typeof isolationSchema>;
