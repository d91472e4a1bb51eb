import { existsSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { memorySchema } from '../../build/quantities.ts';
import { findJava } from '../../build/find-java.ts';
import { findPython } from '../../build/find-python.ts';
import { labelsText } from './labels.ts';
import { type EventLogPlace, eventLogOf } from './event-log-place.ts';
import { SwiftletError } from '../../model/errors.ts';
import type { Labels } from '../../model/groups.ts';
import { buildTimeoutMs, defaultEventLogMiB, defaultTenantInFlight } from '../../model/limits.ts';
import type { Issuer } from '../../model/issuer.ts';
import { parseRange } from '../../model/network-target.ts';
import { defaultPythonRegistries, defaultRegistry, registrySchema } from '../../model/registry.ts';
import { type UrlRule, urlRules } from '../../model/tenant.ts';
import { homeFolder, rootKeyFile, runFolder } from '../../role/home.ts';
import { hostsOptions, type HostsOptions, hostsVariables } from './hosts/options.ts';
import { readIssuers } from './issuers-file.ts';
import { isolationModes, type NetworkMode, networkModes } from '../../role/role-config.ts';
import type { TracingConfig } from '../../role/tracing-config.ts';
import { type SwapWish, swapOf } from './swap-option.ts';
import type { TlsFiles } from './tls-files.ts';
import type { RootKeyPlace } from './root-key-place.ts';
import { tracingOptions, tracingVariables } from './tracing-options.ts';

/** What one sandbox is reckoned to take when a limit on their number is derived from memory. */
const bytesPerSandbox = 24 * 1024 * 1024;
const bytesPerMiB = 1024 * 1024;
/** How much larger a burst makes a pool, and what of the host’s memory all of them may take. */
const usualGrowth = 8;
const poolShare = 0.25;
const port = z.coerce.number().int().min(0).max(65_535);
/** For one that is there by default, `prefault`: a default would take the place of "off", too. */
const portOrOff = z.union(
  [z.literal('off').transform(() => undefined), z.coerce.number().int().min(1).max(65_535)],
  'it is a port, or off',
);
/** As many as resolv.conf(5) takes. */
const maxSearchDomains = 6;
const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()])));
/** More than a machine has processors are of no use; each is a process with memory of its own. */
const maxGateways = 64;
/** Each has a range of the platform's addresses and pools of its own. */
const maxAgents = 8;
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const environmentSchema = z.object({
  SWIFTLET_GATEWAY_PORT: port.default(8080),
  SWIFTLET_GATEWAYS: count(1, maxGateways).default(1),
  SWIFTLET_AGENTS: count(1, maxAgents).default(1),
  SWIFTLET_API_PORT: port.default(8081),
  SWIFTLET_LAMBDA_PORT: portOrOff.prefault(8082),
  SWIFTLET_TLS_PORT: portOrOff.optional(),
  SWIFTLET_TLS_HOST: z.string().min(1).optional(),
  SWIFTLET_TLS_CERTIFICATE: z.string().min(1).optional(),
  SWIFTLET_TLS_KEY: z.string().min(1).optional(),
  SWIFTLET_HOST: z.string().min(1).default('127.0.0.1'),
  SWIFTLET_ISOLATION: z.enum(['auto', ...isolationModes]).default('auto'),
  SWIFTLET_POOL_SIZE: count(0, 1_000).default(8),
  SWIFTLET_POOL_MAXIMUM: count(0, 1_000).optional(),
  SWIFTLET_POOL_MEMORY_MIB: count(1, 100_000_000).optional(),
  SWIFTLET_CODE_CACHE_MIB: count(1, 100_000_000).default(10_240),
  SWIFTLET_BOOTS_AT_ONCE: count(1, 64).default(Math.max(1, Math.floor(availableParallelism() / 2))),
  SWIFTLET_MAX_SANDBOXES: count(1, 5_000).optional(),
  SWIFTLET_MEMORY_BUDGET: memorySchema({ min: 64, max: 67_108_864 }).optional(),
  SWIFTLET_SWAP: z.string().transform(swapOf).optional(),
  SWIFTLET_URLS: z.enum(urlRules).optional(),
  SWIFTLET_LABELS: labelsText,
  SWIFTLET_ISSUERS: z.string().min(1).optional(),
  SWIFTLET_TENANT_IN_FLIGHT: count(1, 1_000_000).default(defaultTenantInFlight),
  SWIFTLET_EVENT_LOG: z.string().default('sqlite').transform(eventLogOf),
  SWIFTLET_EVENT_LOG_MIB: count(1, 1_048_576).default(defaultEventLogMiB),
  SWIFTLET_NETWORK_MODE: z.enum(networkModes).default('host'),
  SWIFTLET_EGRESS_ALLOW: list.superRefine((ranges, context) => {
    for (const range of ranges) {
      try {
        parseRange(range);
      } catch (error) {
        context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      }
    }
  }),
  SWIFTLET_DNS: list.refine(
    (servers) => servers.every((server) => isIP(server) !== 0),
    'it is addresses of name servers, joined by commas',
  ),
  SWIFTLET_DNS_SEARCH: list.refine(
    (domains) => domains.length <= maxSearchDomains && domains.every((domain) => /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(domain)),
    `it is at most ${maxSearchDomains} domains, joined by commas`,
  ),
  SWIFTLET_WEBHOOK_ALLOW: list.refine(
    (ranges) => ranges.every((range) => ipaddr.isValidCIDR(range)),
    'it is ranges of addresses, joined by commas, such as 10.0.0.0/8',
  ),
  SWIFTLET_SOURCE_FOLDERS: z
    .string()
    .default('')
    .transform((text) => text.split(':').filter((folder) => folder !== ''))
    .refine(
      (folders) => folders.every((folder) => isAbsolute(folder)),
      'it is absolute paths of folders, joined by colons, such as /var/spool/in',
    ),
  SWIFTLET_PYTHON: z
    .string()
    .refine((path) => isAbsolute(path) && existsSync(path), 'it is the absolute path of a Python interpreter, such as /usr/bin/python3.13')
    .optional(),
  SWIFTLET_JAVA: z
    .string()
    .refine(
      (path) => isAbsolute(path) && existsSync(path),
      'it is the absolute path of the program of a JDK, such as /usr/lib/jvm/java-21-openjdk-amd64/bin/java',
    )
    .optional(),
  SWIFTLET_REGISTRIES: list.pipe(z.array(registrySchema)),
  SWIFTLET_PYTHON_REGISTRIES: list.pipe(z.array(registrySchema)),
  SWIFTLET_REGISTRY_CA: z.string().refine(existsSync, 'it is a file with certificates, in PEM').optional(),
  // What npm and Node.js go by on this machine: whoever is behind a mirror has said so already.
  npm_config_registry: list.pipe(z.array(registrySchema)),
  // With a password it is for where one deploys alone.
  PIP_INDEX_URL: registrySchema.optional().catch(undefined),
  NODE_EXTRA_CA_CERTS: z.string().optional(),
  SWIFTLET_BUILD_TIMEOUT_MS: count(buildTimeoutMs.min, buildTimeoutMs.max).default(buildTimeoutMs.default),
  SWIFTLET_GRACE_MS: count(0, 600_000).default(2_000),
  ...hostsVariables,
  ...tracingVariables,
  SWIFTLET_ROOT_KEY: z.string().optional(),
  SWIFTLET_ROOT_KEY_COMMAND: z.string().optional(),
  SWIFTLET_ROOT_KEY_FILE: z.string().optional(),
});

export interface SecureOptions {
  readonly place: { readonly host: string; readonly port: number };
  readonly files: TlsFiles;
}

/** What `swiftlet up` was told, complete. */
export interface UpOptions {
  readonly home: string;
  readonly run: string;
  readonly host: string;
  readonly gatewayPort: number;
  /** Gateways that share the ports. */
  readonly gateways: number;
  /** Agents that share this machine, and what of it functions may take. */
  readonly agents: number;
  readonly apiPort: number;
  /** Of Lambda's API; undefined: it is not served. */
  readonly lambdaPort: number | undefined;
  /** Where callers come by TLS, and what is shown to them; undefined: nowhere. */
  readonly secure: SecureOptions | undefined;
  readonly isolation: (typeof isolationModes)[number] | 'auto';
  readonly poolSize: number;
  readonly poolMaximum: number;
  readonly poolMemoryMiB: number;
  readonly codeCacheMiB: number;
  readonly bootsAtOnce: number;
  readonly maxSandboxes: number;
  readonly tenantInFlight: number;
  /** What sandboxes may take of the memory before idle instances give theirs up; undefined: as the agent says. */
  readonly memoryBudgetMiB: number | undefined;
  /** What is made for idle instances; undefined: nothing. */
  readonly swap: SwapWish | undefined;
  /** Who else says who somebody is. */
  readonly issuers: readonly Issuer[];
  /** Who may call functions of which neither they nor their tenant say it. */
  readonly urls: UrlRule;
  /** The groups that each agent is a part of; one for all of them. */
  readonly labels: readonly Labels[];
  readonly eventLog: EventLogPlace;
  readonly eventLogMiB: number;
  readonly webhookAllow: readonly string[];
  readonly sourceFolders: readonly string[];
  /** Whose rights the sandboxes’ way out is made with. */
  readonly networkMode: NetworkMode;
  readonly egressAllow: readonly string[];
  readonly nameServers: readonly string[];
  readonly searchDomains: readonly string[];
  /** A Python interpreter; undefined: the host has none. */
  readonly python: string | undefined;
  /** The program of a JDK; undefined: the host has none. */
  readonly java: string | undefined;
  /** Where builds install packages from: those of npm, and for Python. */
  readonly registries: readonly string[];
  readonly pythonRegistries: readonly string[];
  /** A file with certificates that they may be signed by, beside those that everybody knows. */
  readonly registryAuthorities: string | undefined;
  readonly buildTimeoutMs: number;
  readonly graceMs: number;
  readonly rootKey: RootKeyPlace;
  /** Undefined: no traces are exported. */
  readonly tracing: TracingConfig | undefined;
  /** Undefined: all roles are on this host. */
  readonly hosts: HostsOptions | undefined;
}

/**
 * Reads the environment; flags have been put into it by the command.
 * @throws SwiftletError BadRequest that names the variable
 */
export function upOptions(environment: NodeJS.ProcessEnv): UpOptions {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SwiftletError('BadRequest', `${String(issue?.path[0] ?? 'an option')}: ${issue?.message ?? 'is not valid'}`);
  }
  const value = parsed.data;
  const home = homeFolder(environment);
  const secure = secureOptions(value);
  return {
    home,
    run: runFolder(home, environment),
    host: value.SWIFTLET_HOST,
    gatewayPort: value.SWIFTLET_GATEWAY_PORT,
    gateways: gatewaysOf(value),
    agents: agentsOf(value),
    apiPort: value.SWIFTLET_API_PORT,
    lambdaPort: value.SWIFTLET_LAMBDA_PORT,
    secure,
    isolation: value.SWIFTLET_ISOLATION,
    poolSize: value.SWIFTLET_POOL_SIZE,
    poolMaximum: value.SWIFTLET_POOL_MAXIMUM ?? value.SWIFTLET_POOL_SIZE * usualGrowth,
    poolMemoryMiB: value.SWIFTLET_POOL_MEMORY_MIB ?? Math.max(1, Math.floor((totalmem() / bytesPerMiB) * poolShare)),
    codeCacheMiB: value.SWIFTLET_CODE_CACHE_MIB,
    bootsAtOnce: value.SWIFTLET_BOOTS_AT_ONCE,
    maxSandboxes: value.SWIFTLET_MAX_SANDBOXES ?? Math.min(1_000, Math.max(16, Math.floor(freemem() / bytesPerSandbox))),
    // Whoever opens the gateway to others says himself which functions are for everybody.
    urls:
      value.SWIFTLET_URLS ??
      (isLoopback(value.SWIFTLET_HOST) && isLoopback(secure?.place.host ?? value.SWIFTLET_HOST) ? 'public' : 'token'),
    issuers: value.SWIFTLET_ISSUERS === undefined ? [] : readIssuers(value.SWIFTLET_ISSUERS),
    labels: value.SWIFTLET_LABELS,
    tenantInFlight: value.SWIFTLET_TENANT_IN_FLIGHT,
    memoryBudgetMiB: value.SWIFTLET_MEMORY_BUDGET,
    swap: swapFor(value),
    eventLog: value.SWIFTLET_EVENT_LOG,
    eventLogMiB: value.SWIFTLET_EVENT_LOG_MIB,
    webhookAllow: value.SWIFTLET_WEBHOOK_ALLOW,
    sourceFolders: value.SWIFTLET_SOURCE_FOLDERS,
    networkMode: networkModeOf(value),
    egressAllow: value.SWIFTLET_EGRESS_ALLOW,
    nameServers: value.SWIFTLET_DNS,
    searchDomains: value.SWIFTLET_DNS_SEARCH,
    python: findPython(environment),
    java: findJava(environment),
    registries: registriesOf(value),
    pythonRegistries: pythonRegistriesOf(value),
    registryAuthorities: authoritiesOf(value),
    buildTimeoutMs: value.SWIFTLET_BUILD_TIMEOUT_MS,
    graceMs: value.SWIFTLET_GRACE_MS,
    rootKey: rootKeyPlace(value, home),
    tracing: tracingOptions(value),
    hosts: hostsOptions(value),
  };
}

type Variables = z.output<typeof environmentSchema>;

/** Control finds the gateways of another host by its port, and there is one. */
function gatewaysOf({ SWIFTLET_GATEWAYS: gateways, ...value }: Variables): number {
  if (gateways > 1 && hostsOptions(value) !== undefined)
    throw new SwiftletError('BadRequest', 'SWIFTLET_GATEWAYS: a platform on two hosts has one gateway: leave it out');
  return gateways;
}

/** Several agents are processes of root's, or of none that is isolated, on one machine. */
function agentsOf({ SWIFTLET_AGENTS: agents, SWIFTLET_LABELS: labels, SWIFTLET_NETWORK_MODE: networkMode, ...value }: Variables): number {
  const refuse = (variable: string, why: string) => new SwiftletError('BadRequest', `${variable}: ${why}`);
  if (labels.length > 1 && labels.length !== agents)
    throw refuse('SWIFTLET_LABELS', `there are labels for ${labels.length} agents and ${agents} of them: name each one's, or one for all`);
  if (agents > 1 && hostsOptions(value) !== undefined)
    throw refuse('SWIFTLET_AGENTS', 'a platform on two hosts has one agent: leave it out');
  if (agents > 1 && networkMode === 'user')
    throw refuse('SWIFTLET_AGENTS', 'with SWIFTLET_NETWORK_MODE=user there is one router, and one agent: leave one of both out');
  return agents;
}

/** All of it, or nothing. */
function secureOptions(value: Variables): SecureOptions | undefined {
  const { SWIFTLET_TLS_PORT: port, SWIFTLET_TLS_CERTIFICATE: certificate, SWIFTLET_TLS_KEY: key, SWIFTLET_HOST } = value;
  if (port === undefined && certificate === undefined && key === undefined) return undefined;
  if (port === undefined || certificate === undefined || key === undefined)
    throw new SwiftletError('BadRequest', 'TLS needs SWIFTLET_TLS_PORT, SWIFTLET_TLS_CERTIFICATE and SWIFTLET_TLS_KEY, all three');
  return {
    place: { host: value.SWIFTLET_TLS_HOST ?? SWIFTLET_HOST, port },
    files: { certificate: resolve(certificate), key: resolve(key) },
  };
}

function registriesOf({ SWIFTLET_REGISTRIES: named, npm_config_registry: npms }: Variables): readonly string[] {
  if (named.length > 0) return named;
  return npms.length > 0 ? npms : [defaultRegistry];
}

function pythonRegistriesOf({ SWIFTLET_PYTHON_REGISTRIES: named, PIP_INDEX_URL: pips }: Variables): readonly string[] {
  if (named.length > 0) return named;
  return pips === undefined ? defaultPythonRegistries : [pips];
}

/** Node.js warns of a file that is missing and goes on; that it is not there is no reason not to start. */
function authoritiesOf({ SWIFTLET_REGISTRY_CA: named, NODE_EXTRA_CA_CERTS: nodes }: Variables): string | undefined {
  const path = named ?? (nodes !== undefined && existsSync(nodes) ? nodes : undefined);
  return path === undefined ? undefined : resolve(path);
}

/** Without root's rights what a mode cannot have is refused, and not left out. */
function networkModeOf({ SWIFTLET_NETWORK_MODE: mode, SWIFTLET_ISOLATION: isolation, ...value }: Variables): NetworkMode {
  const refuse = (why: string) => new SwiftletError('BadRequest', `SWIFTLET_NETWORK_MODE: ${why}`);
  if (mode !== 'user') return mode;
  if (process.getuid?.() === 0) throw refuse('"user" is for those who are not root; root has more without it: leave it out');
  if (isolation === 'process') throw refuse('with --isolation process functions use the network of this host: leave one of both out');
  if (hostsOptions(value) !== undefined) throw refuse('a platform on two hosts needs root on the one that runs functions: leave it out');
  return mode;
}

/** Who asks for swap that he cannot have is told so, and not left without. */
function swapFor({ SWIFTLET_SWAP: swap, SWIFTLET_ISOLATION: isolation }: Variables): SwapWish | undefined {
  if (swap === undefined) return undefined;
  const refuse = (why: string) => new SwiftletError('BadRequest', `SWIFTLET_SWAP: ${why}`);
  if (process.getuid?.() !== 0) throw refuse('only root can make swap: start Swiftlet as root, or leave it out');
  if (isolation === 'process') throw refuse('with --isolation process no instance is frozen, nor hibernated: leave one of both out');
  return swap;
}

/** One place of several: which of them was meant is not ours to guess. */
function rootKeyPlace(value: Variables, home: string): RootKeyPlace {
  const { SWIFTLET_ROOT_KEY: text, SWIFTLET_ROOT_KEY_COMMAND: command, SWIFTLET_ROOT_KEY_FILE: path } = value;
  if ([text, command, path].filter((one) => one !== undefined).length > 1)
    throw new SwiftletError('BadRequest', 'the root key comes from one place: set SWIFTLET_ROOT_KEY, …_COMMAND or …_FILE, not several');
  if (text !== undefined) return { kind: 'environment', text };
  if (command !== undefined) return { kind: 'command', command };
  return { kind: 'file', path: path === undefined ? rootKeyFile(home) : resolve(path) };
}

const isLoopback = (host: string): boolean => host === 'localhost' || (ipaddr.isValid(host) && ipaddr.parse(host).range() === 'loopback');
