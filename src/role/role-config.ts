/** What the supervisor tells a role when it starts it: one JSON value in the environment, parsed once. */
import { z } from 'zod';

export const roleNames = ['relay', 'control', 'agent', 'gateway', 'events'] as const;
export type RoleName = (typeof roleNames)[number];

export const isolationModes = ['bubblewrap', 'process'] as const;
export type IsolationMode = (typeof isolationModes)[number];

export const roleConfigSchema = z.object({
  role: z.enum(roleNames),
  /**
   * The folder for sockets and what lives no longer than the host's uptime. `<run>/<role>/` belongs to each role. Every process
   * of the platform may enter it, nobody else.
   */
  run: z.string(),
  /** The data folder, absolute. A role that gives up its rights may not reach it by this path: it uses its working directory, which is its own part of it. */
  home: z.string(),
  /** Given up for these right after the code is loaded; absent: the role keeps the rights it was started with. */
  identity: z.object({ uid: z.int(), gid: z.int() }).optional(),
  /** The group that every role is in; sockets are open to it. Absent when all run as the same user. */
  group: z.int().optional(),
  gateway: z.object({ host: z.string(), port: z.int(), tenantInFlight: z.int() }),
  api: z.object({ host: z.string(), port: z.int() }),
  events: z.object({
    /** Above it no more events are accepted. */
    maxLogBytes: z.int().min(0),
    /** Ranges of addresses (CIDR) that webhooks may be sent to although they are not public. */
    webhookAllow: z.array(z.string()),
  }),
  /** SHA-256 in hex of the tokens that open the control API. */
  tokenHashes: z.array(z.string()),
  agent: z.object({
    isolation: z.enum(isolationModes),
    /** Sandboxes kept booted per pool. */
    poolSize: z.int().min(0),
    /** Sandboxes that may boot at the same time when nobody waits for them. */
    bootsAtOnce: z.int().min(1),
    /** Sandboxes on this host, pooled and running together. */
    maxSandboxes: z.int().min(1),
    /** The first host uid for sandboxes; slot n runs as `firstUid + n`. Absent: all sandboxes run as the agent's own user. */
    firstUid: z.int().optional(),
  }),
  /** How long requests in flight may go on once a stop was asked for. */
  graceMs: z.int().min(0),
});
export type RoleConfig = z.output<typeof roleConfigSchema>;

export const roleConfigVariable = 'SWIFTLET_ROLE_CONFIG';

/** Where each role listens for calls from the others. */
export const socketOf = (run: string, role: RoleName): string => `${run}/${role}/${role}.sock`;
/** Where the gateway takes deliveries of stored events, as HTTP. */
export const deliverySocketOf = (run: string): string => `${run}/gateway/deliveries.sock`;
/** Where control publishes its state. */
export const stateSocketOf = (run: string): string => `${run}/control/state.sock`;
