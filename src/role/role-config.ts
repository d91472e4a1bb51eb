/** What the supervisor tells a role when it starts it: one JSON value in the environment, parsed once. */
import { join } from 'node:path';
import { z } from 'zod';
import { type Labels, labelsSchema, noLabels } from '../model/groups.ts';
import { issuersSchema } from '../model/issuer.ts';
import { buildTimeoutMs } from '../model/limits.ts';
import { defaultPythonRegistries, defaultRegistry, registrySchema } from '../model/registry.ts';
import { urlRules } from '../model/tenant.ts';
import { tracingConfigSchema } from './tracing-config.ts';

export const roleNames = ['relay', 'control', 'agent', 'gateway', 'events'] as const;
export type RoleName = (typeof roleNames)[number];

export const isolationModes = ['bubblewrap', 'process'] as const;
export type IsolationMode = (typeof isolationModes)[number];

/** How sandboxes get their way out: by the host’s own network, as root, or by a process of the user’s. */
export const networkModes = ['host', 'user'] as const;
export type NetworkMode = (typeof networkModes)[number];

const addressSchema = z.object({ host: z.string(), port: z.int() });

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
  gateway: z.object({
    host: z.string(),
    port: z.int(),
    /** How many gateways share the ports; absent: one. */
    count: z.int().min(1).optional(),
    /** Which of them this is, from 0 on. Present in a gateway's own configuration, when there are several. */
    index: z.int().min(0).optional(),
    /** Sockets that listen already, as descriptors that this process was started with; absent: it opens them itself. */
    sockets: z.object({ plain: z.int(), lambda: z.int().optional(), secure: z.int().optional() }).optional(),
    /** Where Lambda's API is served; absent: nowhere. */
    lambdaPort: z.int().optional(),
    /** Where callers come by TLS; the file with certificate and key is in the gateway's folder. Absent: nowhere. */
    secure: addressSchema.optional(),
    tenantInFlight: z.int(),
    /** Who may call functions of which neither they nor their tenant say it. */
    urls: z.enum(urlRules),
    /** Absent: no traces are exported. */
    tracing: tracingConfigSchema.optional(),
  }),
  api: z.object({ host: z.string(), port: z.int() }),
  events: z.object({
    /** Where events are stored: this host's disk, or a stream of NATS JetStream, with this host's disk for its index. */
    log: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('sqlite') }),
        z.object({ kind: z.literal('nats'), servers: z.string(), stream: z.string(), replicas: z.int().min(1) }),
      ])
      .default({ kind: 'sqlite' }),
    /** Above it no more events are accepted. */
    maxLogBytes: z.int().min(0),
    /** Ranges of addresses (CIDR) that webhooks may be sent to although they are not public. */
    webhookAllow: z.array(z.string()),
    /** Folders of the host that sources of functions may watch, with what is below them. */
    sourceFolders: z.array(z.string()),
  }),
  /** Installing functions' dependencies on the platform; absent: as `buildSettings` says. */
  builds: z
    .object({
      /** Registries of packages that builds may reach, as URLs; the first is npm's. */
      registries: z.array(registrySchema).min(1),
      /** The same for packages of Python; the first is pip's index. */
      pythonRegistries: z.array(registrySchema).min(1),
      timeoutMs: z.int().min(1),
      /** A file with certificates that they may be signed by, beside those that everybody knows. */
      authorities: z.string().optional(),
    })
    .optional(),
  /** SHA-256 in hex of the tokens that open the control API. */
  tokenHashes: z.array(z.string()),
  /** Who else says who somebody is; absent: nobody. */
  issuers: issuersSchema.optional(),
  agent: z.object({
    /** How many agents share this machine; absent: one. What is said of limits below is each agent's own. */
    count: z.int().min(1).optional(),
    /** Which of them this is, from 0 on. Present in an agent's own configuration, when there are several. */
    index: z.int().min(0).optional(),
    isolation: z.enum(isolationModes),
    /** Sandboxes kept booted per pool, at least and, after a burst, at most; absent: never more. */
    poolSize: z.int().min(0),
    poolMaximum: z.int().min(0).optional(),
    /** What all of them together may take; absent: no limit. */
    poolMemoryMiB: z.int().min(1).optional(),
    /** What unpacked code may take on the disk, beyond what is in use; absent: no limit. */
    codeCacheMiB: z.int().min(1).optional(),
    /** Sandboxes that may boot at the same time when nobody waits for them. */
    bootsAtOnce: z.int().min(1),
    /** Sandboxes on this host, pooled and running together. */
    maxSandboxes: z.int().min(1),
    /** What sandboxes may take of this host's memory before idle instances give theirs up; absent: three quarters of it. */
    memoryBudgetBytes: z.int().min(1).optional(),
    /** Swap that is made for idle instances; absent: they use what the host has. */
    swap: z.object({ kind: z.enum(['auto', 'zram', 'file']), sizeBytes: z.int().min(1) }).optional(),
    /** The first host uid for sandboxes; slot n runs as `firstUid + n`. Absent: all sandboxes run as the agent's own user. */
    firstUid: z.int().optional(),
    /** A Python interpreter; absent: functions in Python are not served. */
    python: z.string().optional(),
    /** The program of a JDK; absent: functions in Java are not served. */
    java: z.string().optional(),
    network: z.object({
      /** Whose rights the sandboxes’ way out is made with. Absent: root’s. */
      mode: z.enum(networkModes).optional(),
      /** Ranges of addresses (CIDR) that functions may reach although they are closed to them. */
      opened: z.array(z.string()),
      /** Servers that resolve names for functions; empty: the host's. */
      nameServers: z.array(z.string()),
      /** Domains that names without dots are looked for in. */
      searchDomains: z.array(z.string()),
    }),
  }),
  /** The groups that each agent is a part of, in the agents' order; one for all of them; absent: none. */
  labels: z.array(labelsSchema).min(1).optional(),
  /** Present when control and those who run functions are on two hosts. */
  hosts: z
    .object({
      /** Which of the two this one is. */
      serves: z.enum(['control', 'functions']),
      /** Where this host's roles listen for those of the other; they have some ports from this one on. */
      here: addressSchema,
      other: addressSchema,
      /** Whether control makes the certificates, or they are given as files. */
      certificates: z.enum(['made', 'given']),
      /** How long a certificate holds that is made. */
      certificateLifeMs: z.int().min(1),
    })
    .optional(),
  /** How long requests in flight may go on once a stop was asked for. */
  graceMs: z.int().min(0),
});
export type RoleConfig = z.output<typeof roleConfigSchema>;

export const roleConfigVariable = 'SWIFTLET_ROLE_CONFIG';

/** How dependencies are installed on this platform. */
export const buildSettings = ({ builds }: Pick<RoleConfig, 'builds'>): NonNullable<RoleConfig['builds']> =>
  builds ?? { registries: [defaultRegistry], pythonRegistries: [...defaultPythonRegistries], timeoutMs: buildTimeoutMs.default };

/** The data folder's id, which names what a platform has on its host. */
export const homeIdOfRun = (run: string): string => run.replace(/.*\//, '');

/** The gateways of a host, from 0 on. */
export const gatewaysOf = ({ gateway }: { readonly gateway: Pick<RoleConfig['gateway'], 'count'> }): number[] => [
  ...Array(gateway.count ?? 1).keys(),
];
/** The agents of a machine, from 0 on. */
export const agentsOf = ({ agent }: { readonly agent: Pick<RoleConfig['agent'], 'count'> }): number[] => [
  ...Array(agent.count ?? 1).keys(),
];

type Labelled = Pick<RoleConfig, 'labels'> & { readonly agent: Pick<RoleConfig['agent'], 'count'> };

/** The labels of each agent, in their order. */
export const agentLabels = ({ agent, labels = [] }: Labelled): Labels[] =>
  agentsOf({ agent }).map((index) => labels[index] ?? labels[0] ?? noLabels);

/** How a role is called where there may be several of it: `gateway 2`. */
export function calledRole({ role, gateway, agent }: RoleConfig): string {
  const index = role === 'gateway' ? gateway.index : role === 'agent' ? agent.index : undefined;
  return index === undefined ? role : `${role} ${index + 1}`;
}

/** What one of several agents has on its host. */
export interface AgentPlace {
  /** The run folder of its platform. */
  readonly platform: string;
  /** Its own in it, for what lives no longer than the host's uptime. */
  readonly run: string;
  /** In the data folder. */
  readonly data: string;
  /** Names what it makes outside of folders: eight hexadecimal digits. */
  readonly id: string;
}

/** @param index which of several, from 0 on */
export function agentPlace({ run, home }: Pick<RoleConfig, 'run' | 'home'>, index = 0): AgentPlace {
  const own = index === 0 ? [] : [String(index + 1)];
  const id = homeIdOfRun(run);
  const ids = 2 ** 32;
  const ownId = index === 0 ? id : ((Number.parseInt(id, 16) + index) % ids).toString(16).padStart(8, '0');
  return { platform: run, run: join(run, 'agent', ...own), data: join(home, 'agent', ...own), id: ownId };
}

/** What tells a gateway, or an agent, from others in the names of its sockets; nothing for the first. */
const mark = (index: number): string => (index === 0 ? '' : `-${index + 1}`);

/** Where each role listens for calls from the others. @param index which of several gateways or agents, from 0 on */
export const socketOf = (run: string, role: RoleName, index = 0): string => `${run}/${role}/${role}${mark(index)}.sock`;
/** Where a gateway takes deliveries of stored events, as HTTP. @param index which of several, from 0 on */
export const deliverySocketOf = (run: string, index = 0): string => `${run}/gateway/deliveries${mark(index)}.sock`;
/** Where the agent takes orders for builds, as HTTP. */
export const buildSocketOf = (run: string): string => `${run}/agent/builds.sock`;
/** The certificate that callers see, with its key. */
export const tlsMaterialOf = (run: string): string => `${run}/gateway/callers.pem`;
/** Where control takes requests of Lambda's API that a gateway passes on, as HTTP. */
export const lambdaSocketOf = (run: string): string => `${run}/control/lambda.sock`;
/** Where control publishes its state. */
export const stateSocketOf = (run: string): string => `${run}/control/state.sock`;
