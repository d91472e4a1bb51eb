/** One machine's platform: its folders, its users, its roles. Nothing of it is left when it has stopped. */
import { chooseIsolation, hasSysAdmin, inspectIsolation, type IsolationReport, type WayOutFound } from '../../agent/isolation.ts';
import { hasOwnNamespace } from '../../agent/linux/capabilities.ts';
import { forbidCoreDumps } from '../../agent/linux/libc.ts';
import { removeOwnSwap } from '../../agent/hibernation.ts';
import { removeNetwork } from '../../agent/network/open-network.ts';
import { tryUserNetwork } from '../../agent/network/user/try-user-network.ts';
import { isolationInForce } from '../../model/isolation.ts';
import { type Hosts, rolesOf } from '../../role/call-places.ts';
import { homeId } from '../../role/home.ts';
import { writePrivately } from '../../role/certificates/write-privately.ts';
import {
  agentPlace,
  agentsOf,
  gatewaysOf,
  type IsolationMode,
  type RoleConfig,
  type RoleName,
  tlsMaterialOf,
} from '../../role/role-config.ts';
import { type CallerSockets, openCallerSockets } from './caller-sockets.ts';
import { followTlsFiles } from './tls-files.ts';
import { claimHome, makeFolders, prepareToken } from './folders.ts';
import { keepCertificates } from './hosts/keep-certificates.ts';
import { identitiesOf } from './identities.ts';
import type { UpOptions } from './options.ts';
import { demandReadableCode } from './readable-code.ts';
import { adoptOrphans } from './reaper.ts';
import { type Pasta, startPasta } from './pasta.ts';
import { openRootKeys, rootKeyVariable } from './root-key-place.ts';
import { codeRoot } from './role-command.ts';
import type { SwapWish } from './swap-option.ts';
import { type RoleGifts, superviseRole, type SupervisedRole } from './supervisor.ts';

export interface Platform {
  /** Which roles are on this host. */
  readonly serves: 'all' | Hosts['serves'];
  /** What keeps functions apart in this mode, not what could. */
  readonly isolation: Pick<IsolationReport, 'facts'>;
  readonly mode: IsolationMode;
  readonly gatewayUrl: string;
  /** How many gateways serve it together, and agents. */
  readonly gateways: number;
  readonly agents: number;
  /** Where functions are by TLS; undefined: nowhere. */
  readonly secureUrl: string | undefined;
  readonly apiUrl: string;
  /** Requests in flight may go on for the grace; a second call with less time hurries the first. */
  stop(graceMs: number): Promise<void>;
}

const mebibyte = 1024 * 1024;
/** Users that an agent has beside those of its sandboxes. */
const usersBeside = 2;
/** The relay and control are there before those who connect to them, and go after them. The first to go is who sends events to the gateway. */
const startOrder: readonly RoleName[] = ['relay', 'control', 'agent', 'gateway', 'events'];

/**
 * Starts all roles and resolves when each has said that it is ready.
 * @throws SwiftletError IsolationUnavailable, Conflict, or Unavailable with the role that could not start; nothing is left then
 */
export async function startPlatform(options: UpOptions, note: (text: string) => void): Promise<Platform> {
  // What is to be read by others is said where it is made; a user's strict umask must not take it away.
  process.umask(0o022);
  // What holds secrets leaves none of them behind when it crashes, and neither do the sandboxes, which inherit this.
  forbidCoreDumps();
  const { home, run } = options;
  const identities = hasSysAdmin() ? identitiesOf(homeId(home)) : undefined;
  if (identities !== undefined) demandReadableCode(codeRoot());
  const wayOut = await findWayOut(options);
  const isolation = await inspectIsolation(
    (identities?.firstSandboxUid ?? 0) + options.maxSandboxes,
    wayOut,
    options.swap && swapText(options.swap),
  );
  const serves = options.hosts?.config.serves ?? 'all';
  const mode = serves === 'control' ? modeElsewhere(options.isolation) : chooseIsolation(options.isolation, isolation);
  const claim = claimHome(home, run);
  makeFolders(home, run, identities, options.agents);
  const rootKeys = openRootKeys(options.rootKey);
  // Roles inherit the environment, and one of them only may have it.
  Reflect.deleteProperty(process.env, rootKeyVariable);
  const common: Omit<RoleConfig, 'role' | 'identity'> = {
    run,
    home,
    graceMs: options.graceMs,
    labels: [...options.labels],
    tokenHashes: serves === 'functions' ? [] : [prepareToken(home)],
    ...(options.hosts === undefined ? {} : { hosts: options.hosts.config }),
    ...(identities === undefined ? {} : { group: identities.group }),
    ...(options.issuers.length === 0 ? {} : { issuers: options.issuers }),
    gateway: {
      host: options.host,
      port: options.gatewayPort,
      ...(options.gateways === 1 ? {} : { count: options.gateways }),
      ...(options.lambdaPort === undefined ? {} : { lambdaPort: options.lambdaPort }),
      ...(options.secure === undefined ? {} : { secure: options.secure.place }),
      tenantInFlight: options.tenantInFlight,
      urls: options.urls,
      ...(options.tracing === undefined ? {} : { tracing: options.tracing }),
    },
    api: { host: options.host, port: options.apiPort },
    events: {
      log: options.eventLog,
      maxLogBytes: options.eventLogMiB * mebibyte,
      webhookAllow: [...options.webhookAllow],
      sourceFolders: [...options.sourceFolders],
    },
    builds: {
      registries: [...options.registries],
      pythonRegistries: [...options.pythonRegistries],
      timeoutMs: options.buildTimeoutMs,
      ...(options.registryAuthorities === undefined ? {} : { authorities: options.registryAuthorities }),
    },
    agent: {
      ...(options.agents === 1 ? {} : { count: options.agents }),
      isolation: mode,
      poolSize: options.poolSize,
      poolMaximum: options.poolMaximum,
      poolMemoryMiB: shareOf(options.poolMemoryMiB, options),
      codeCacheMiB: shareOf(options.codeCacheMiB, options),
      bootsAtOnce: options.bootsAtOnce,
      maxSandboxes: shareOf(options.maxSandboxes, options),
      ...(options.memoryBudgetMiB === undefined ? {} : { memoryBudgetBytes: shareOf(options.memoryBudgetMiB, options) * mebibyte }),
      ...(options.swap === undefined ? {} : { swap: options.swap }),
      ...(options.python === undefined ? {} : { python: options.python }),
      ...(options.java === undefined ? {} : { java: options.java }),
      network: {
        mode: options.networkMode,
        opened: [...options.egressAllow],
        nameServers: [...options.nameServers],
        searchDomains: [...options.searchDomains],
      },
      ...(identities === undefined || mode === 'process' ? {} : { firstUid: identities.firstSandboxUid }),
    },
  };
  const roles: SupervisedRole[] = [];
  const held = new AsyncDisposableStack();
  let pasta: Pasta | undefined;
  const reaper = adoptOrphans(() => [...roles, ...(pasta === undefined ? [] : [pasta])].flatMap(({ pid }) => pid ?? []));

  const callers = held.use(new DisposableStack());
  const stop = async (graceMs: number) => {
    // From now on only gateways that serve still take anybody.
    callers.dispose();
    for (const name of startOrder.toReversed())
      await Promise.all(roles.filter((role) => role.name === name).map((role) => role.stop(graceMs)));
    await held.disposeAsync();
    reaper[Symbol.dispose]();
    // An agent that was killed could not; its folder cannot go before.
    if (hasSysAdmin()) {
      for (const index of agentsOf(common)) {
        removeNetwork(common, index);
        removeSwapOf(agentPlace(common, index).run, note);
      }
    }
    claim[Symbol.dispose]();
  };

  try {
    if (options.hosts !== undefined) held.use(await keepCertificates({ ...options.hosts, home, run, identities, note }));
    if (wayOut.mode === 'user' && wayOut.missing === undefined) pasta = held.use(await startPasta(() => note(lostWayOut)));
    if (options.secure !== undefined && rolesOf(serves).includes('gateway')) {
      const put = (pem: string) => writePrivately(tlsMaterialOf(run), pem, identities?.of('gateway'));
      held.use(followTlsFiles(options.secure.files, put, note));
    }
    const sockets = rolesOf(serves).includes('gateway') ? callers.use(await openCallerSockets(common.gateway)) : undefined;
    for (const role of startOrder.filter((one) => rolesOf(serves).includes(one))) {
      const identity = identities?.of(role);
      const roleConfig = { ...common, role, ...(identity === undefined ? {} : { identity }) };
      const gifts = {
        ...(role === 'control' ? { rootKeys } : {}),
        ...(role === 'agent' && pasta !== undefined ? { entrance: pasta.entrance } : {}),
      };
      if (role === 'gateway' && sockets !== undefined) roles.push(...superviseGateways(roleConfig, sockets, note));
      else if (role === 'agent') roles.push(...superviseAgents(roleConfig, note, gifts));
      else roles.push(superviseRole(roleConfig, note, gifts));
    }
    await Promise.all(roles.map((role) => role.ready));
  } catch (error) {
    await stop(0);
    throw error;
  }
  return {
    serves,
    isolation: { facts: isolationInForce(isolation, mode) },
    mode,
    gatewayUrl: `http://${options.host}:${options.gatewayPort}`,
    gateways: options.gateways,
    agents: options.agents,
    secureUrl: options.secure === undefined ? undefined : `https://${options.secure.place.host}:${options.secure.place.port}`,
    apiUrl: `http://${options.host}:${options.apiPort}`,
    stop,
  };
}

/** Of what this machine has to give, what one agent gets. */
const shareOf = (whole: number, { agents }: Pick<UpOptions, 'agents'>): number => Math.max(1, Math.floor(whole / agents));

function removeSwapOf(folder: string, note: (text: string) => void): void {
  try {
    removeOwnSwap(folder);
  } catch (error) {
    note(`swap that was made is still there (${error instanceof Error ? error.message : String(error)}); swapoff takes it away`);
  }
}

const swapText = ({ kind, sizeBytes }: SwapWish): string =>
  `their memory goes to swap of their own (${kind === 'auto' ? 'zram, else a file' : kind}, ${sizeBytes / mebibyte} MiB)`;

function superviseGateways(config: RoleConfig, callers: CallerSockets, note: (text: string) => void): SupervisedRole[] {
  const all = gatewaysOf(config);
  return all.map((index) => {
    const { given, sockets } = callers.of(index);
    const gateway = { ...config.gateway, sockets, ...(all.length === 1 ? {} : { index }) };
    return superviseRole({ ...config, gateway }, note, { descriptors: given });
  });
}

/** Each has users of its own for its sandboxes and its resolver. */
function superviseAgents(config: RoleConfig, note: (text: string) => void, gifts: RoleGifts): SupervisedRole[] {
  const { firstUid, swap, ...common } = config.agent;
  const all = agentsOf(config);
  return all.map((index) => {
    const users = firstUid === undefined ? {} : { firstUid: firstUid + index * (common.maxSandboxes + usersBeside) };
    // Swap is the machine's: who is there first makes it, for all.
    const own = index > 0 || swap === undefined ? {} : { swap };
    const agent = { ...common, ...users, ...own, ...(all.length === 1 ? {} : { index }) };
    return superviseRole({ ...config, agent }, note, gifts);
  });
}

const lostWayOut = 'functions have lost their way out, since the namespace it leads from has ended; start Swiftlet again';

/** In a user namespace it was tried before. */
async function findWayOut({ networkMode }: UpOptions): Promise<WayOutFound> {
  if (networkMode === 'host') return { mode: 'host' };
  return { mode: 'user', missing: hasOwnNamespace() ? undefined : await tryUserNetwork() };
}

/** What functions are kept apart by on their own host, which looks for itself. */
const modeElsewhere = (wanted: UpOptions['isolation']): IsolationMode => (wanted === 'auto' ? 'bubblewrap' : wanted);
