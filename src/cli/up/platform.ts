/** One machine's platform: its folders, its users, its roles. Nothing of it is left when it has stopped. */
import { chooseIsolation, hasSysAdmin, inspectIsolation, type IsolationReport } from '../../agent/isolation.ts';
import { isolationInForce } from '../../model/isolation.ts';
import { homeId } from '../../role/home.ts';
import type { IsolationMode, RoleConfig, RoleName } from '../../role/role-config.ts';
import { claimHome, makeFolders, prepareToken } from './folders.ts';
import { identitiesOf } from './identities.ts';
import type { UpOptions } from './options.ts';
import { demandReadableCode } from './readable-code.ts';
import { adoptOrphans } from './reaper.ts';
import { codeRoot } from './role-command.ts';
import { superviseRole, type SupervisedRole } from './supervisor.ts';

export interface Platform {
  /** What keeps functions apart in this mode, not what could. */
  readonly isolation: Pick<IsolationReport, 'facts'>;
  readonly mode: IsolationMode;
  readonly gatewayUrl: string;
  readonly apiUrl: string;
  /** Requests in flight may go on for the grace; a second call with less time hurries the first. */
  stop(graceMs: number): Promise<void>;
}

const mebibyte = 1024 * 1024;
/** The relay and control are there before those who connect to them, and go after them. The first to go is who sends events to the gateway. */
const startOrder: readonly RoleName[] = ['relay', 'control', 'agent', 'gateway', 'events'];

/**
 * Starts all roles and resolves when each has said that it is ready.
 * @throws SwiftletError IsolationUnavailable, Conflict, or Unavailable with the role that could not start; nothing is left then
 */
export async function startPlatform(options: UpOptions, note: (text: string) => void): Promise<Platform> {
  // What is to be read by others is said where it is made; a user's strict umask must not take it away.
  process.umask(0o022);
  const { home, run } = options;
  const identities = hasSysAdmin() ? identitiesOf(homeId(home)) : undefined;
  if (identities !== undefined) demandReadableCode(codeRoot());
  const isolation = await inspectIsolation((identities?.firstSandboxUid ?? 0) + options.maxSandboxes);
  const mode = chooseIsolation(options.isolation, isolation);
  const claim = claimHome(home, run);
  makeFolders(home, run, identities);
  const common: Omit<RoleConfig, 'role' | 'identity'> = {
    run,
    home,
    graceMs: options.graceMs,
    tokenHashes: [prepareToken(home)],
    ...(identities === undefined ? {} : { group: identities.group }),
    gateway: { host: options.host, port: options.gatewayPort, tenantInFlight: options.tenantInFlight },
    api: { host: options.host, port: options.apiPort },
    events: { maxLogBytes: options.eventLogMiB * mebibyte, webhookAllow: [...options.webhookAllow] },
    agent: {
      isolation: mode,
      poolSize: options.poolSize,
      bootsAtOnce: options.bootsAtOnce,
      maxSandboxes: options.maxSandboxes,
      ...(identities === undefined || mode === 'process' ? {} : { firstUid: identities.firstSandboxUid }),
    },
  };
  const roles: SupervisedRole[] = [];
  const reaper = adoptOrphans(() => roles.flatMap((role) => (role.pid === undefined ? [] : [role.pid])));

  const stop = async (graceMs: number) => {
    for (const role of roles.toReversed()) await role.stop(graceMs);
    reaper[Symbol.dispose]();
    claim[Symbol.dispose]();
  };

  try {
    for (const role of startOrder) {
      const identity = identities?.of(role);
      roles.push(superviseRole({ ...common, role, ...(identity === undefined ? {} : { identity }) }, note));
    }
    await Promise.all(roles.map((role) => role.ready));
  } catch (error) {
    await stop(0);
    throw error;
  }
  return {
    isolation: { facts: isolationInForce(isolation, mode) },
    mode,
    gatewayUrl: `http://${options.host}:${options.gatewayPort}`,
    apiUrl: `http://${options.host}:${options.apiPort}`,
    stop,
  };
}
