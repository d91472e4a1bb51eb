/** What this machine offers to isolate functions with, and what is missing for the rest. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { SwiftletError } from '../model/errors.ts';
import { freezing, hibernating, outgoing } from '../model/isolation.ts';
import type { IsolationMode } from '../role/role-config.ts';
import type { CgroupTree } from './linux/cgroup.ts';
import { isExecutable } from './linux/is-executable.ts';
import { openCgroups } from './linux/open-cgroups.ts';
import { pageOutFault } from './linux/page-out.ts';
import { freeSwapBytes, readSwapAreas } from './linux/swap-areas.ts';
import { inTheWay } from './network/other-firewalls.ts';
import { type Missing, tryNetwork } from './network/try-network.ts';
import { compileSeccomp } from './linux/seccomp.ts';
import { countsProcessesByNamespace } from './sandbox/process-limit.ts';

/** One means of isolation. */
export interface IsolationFact {
  readonly means: string;
  readonly inForce: boolean;
  /** How it is done, or why it is not. */
  readonly detail: string;
  /** What to do so that it is; only when it is not. */
  readonly remedy?: string;
}

export interface IsolationReport {
  /** The best mode that this machine can run. */
  readonly mode: IsolationMode;
  readonly facts: readonly IsolationFact[];
}

const bwrapPaths = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];
const trialLimitMs = 5_000;
const capSysAdmin = 21n;

export const findBwrap = (): string | undefined => bwrapPaths.find(isExecutable);

/** Whether this process may mount into other namespaces and give sandboxes uids of their own. */
export function hasSysAdmin(): boolean {
  const mask = readFileSync('/proc/self/status', 'utf8').match(/^CapEff:\s*([0-9a-f]+)$/m)?.[1];
  return process.getuid?.() === 0 && mask !== undefined && (BigInt(`0x${mask}`) >> capSysAdmin) % 2n === 1n;
}

/** How functions are to get out, and what was found of it. */
export type WayOutFound =
  /** @param userMode what a user without rights could have instead; absent: nobody looked */
  | { readonly mode: 'host'; readonly userMode?: { readonly missing: Missing | undefined } }
  | { readonly mode: 'user'; readonly missing: Missing | undefined };

/**
 * Looks at the machine, and tries what can be tried. Takes some 20 ms; leaves nothing behind.
 * @param trialUid a host uid for the trial sandbox; used only as root
 * @param swap what a platform that starts now makes for itself
 */
export async function inspectIsolation(trialUid: number, way: WayOutFound = { mode: 'host' }, swap?: string): Promise<IsolationReport> {
  const bwrap = findBwrap();
  const root = hasSysAdmin();
  const namespaces = await inspectNamespaces(bwrap, root ? trialUid : undefined);
  const isolated = namespaces.inForce;
  const facts = [
    namespaces,
    inspectUids(isolated, root),
    ...inspectCgroups(isolated, swap),
    inspectSeccomp(isolated),
    inspectScratch(isolated, root),
    inspectNetwork(isolated),
    inspectOutgoing(isolated, root, way),
  ];
  return { mode: isolated ? 'bubblewrap' : 'process', facts };
}

async function inspectNamespaces(bwrap: string | undefined, uid: number | undefined): Promise<IsolationFact> {
  const means = 'namespaces';
  if (bwrap === undefined) {
    return { means, inForce: false, detail: 'bubblewrap is not installed', remedy: asRoot('apt-get install -y bubblewrap') };
  }
  try {
    const identity = uid === undefined ? {} : { uid, gid: uid };
    const trial = [
      '--unshare-all',
      '--ro-bind',
      '/usr',
      '/usr',
      '--symlink',
      'usr/lib',
      '/lib',
      '--symlink',
      'usr/lib64',
      '/lib64',
      '--proc',
      '/proc',
      '/usr/bin/true',
    ];
    await promisify(execFile)(bwrap, trial, { ...identity, cwd: '/', timeout: trialLimitMs });
    return { means, inForce: true, detail: 'user, mount, pid, network, ipc, uts and cgroup, new for every sandbox (bubblewrap)' };
  } catch (error) {
    const reason = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    return {
      means,
      inForce: false,
      detail: `bubblewrap cannot make namespaces: ${reason}`,
      remedy: `allow unprivileged user namespaces: ${asRoot(`sysctl -w ${closedSwitches().join(' ')}`)}`,
    };
  }
}

/** The command that somebody has to type who is not root. */
const asRoot = (command: string): string => (process.getuid?.() === 0 ? command : `sudo ${command}`);

/** Switches of this kernel that keep users from making namespaces, set as they should be. */
function closedSwitches(): string[] {
  const wanted = [
    ['kernel.unprivileged_userns_clone', '1'],
    ['kernel.apparmor_restrict_unprivileged_userns', '0'],
    ['user.max_user_namespaces', '10000'],
  ] as const;
  const present = wanted.filter(([name]) => existsSync(`/proc/sys/${name.replaceAll('.', '/')}`));
  return present.map(([name, value]) => `${name}=${value}`);
}

const notIsolated = (means: string): IsolationFact => ({ means, inForce: false, detail: 'needs namespaces' });

function inspectUids(isolated: boolean, root: boolean): IsolationFact {
  const means = 'uid per sandbox';
  if (!isolated) return notIsolated(means);
  return root
    ? { means, inForce: true, detail: 'every sandbox runs as a host user of its own' }
    : {
        means,
        inForce: false,
        detail: 'all sandboxes run as your user; only root can give each its own',
        remedy: 'start Swiftlet as root',
      };
}

function inspectCgroups(isolated: boolean, swap: string | undefined): IsolationFact[] {
  const limits = 'memory, process and CPU limits';
  if (!isolated) return [notIsolated(limits), notIsolated(freezing), notIsolated(hibernating)];
  const remedy = existsSync('/run/systemd/system')
    ? 'start Swiftlet as root, or with cgroups of its own: systemd-run --user --scope -p Delegate=yes swiftlet up'
    : 'start Swiftlet as root';
  try {
    const cgroups = openCgroups(`swiftlet-inspect-${process.pid}`);
    if (cgroups === undefined) {
      const unfrozen = { means: freezing, inForce: false, detail: withoutFreezer('no cgroup that this process may write'), remedy };
      return [{ means: limits, inForce: false, detail: withoutCgroups(), remedy }, unfrozen, unhibernated];
    }
    cgroups.close();
    return [limitsFact(limits, cgroups, remedy), freezerFact(cgroups), cgroups.canFreeze ? inspectSwap(swap) : unhibernated];
  } catch (error) {
    const reason = `cgroups cannot be used: ${String(error)}`;
    return [
      { means: limits, inForce: false, detail: reason, remedy },
      { means: freezing, inForce: false, detail: withoutFreezer(reason), remedy },
      unhibernated,
    ];
  }
}

function limitsFact(means: string, { version, available, missing }: CgroupTree, remedy: string): IsolationFact {
  const detail = `cgroup version ${version}: ${[...available].join(', ')}`;
  return missing === undefined ? { means, inForce: true, detail } : { means, inForce: false, detail: `${detail}; ${missing}`, remedy };
}

function freezerFact({ version, canFreeze }: CgroupTree): IsolationFact {
  const means = freezing;
  if (canFreeze) return { means, inForce: true, detail: `cgroup version ${version}; they take no processor time` };
  return version === 1
    ? { means, inForce: false, detail: withoutFreezer('the controller "freezer" is not mounted or not writable'), remedy: mountFreezer }
    : { means, inForce: false, detail: withoutFreezer('this kernel is older than 5.2') };
}

const unhibernated: IsolationFact = { means: hibernating, inForce: false, detail: 'needs freezing' };

/** @param swap what is made at the start */
function inspectSwap(swap: string | undefined): IsolationFact {
  const means = hibernating;
  const without = (why: string, remedy: string) => ({
    means,
    inForce: false,
    detail: `${why}; idle instances stay frozen instead`,
    remedy,
  });
  const fault = pageOutFault();
  if (fault !== undefined) return without(fault, 'start Swiftlet as root, with CAP_SYS_NICE');
  if (swap !== undefined) return { means, inForce: true, detail: swap };
  const areas = readSwapAreas();
  if (areas.length === 0) return without('this host has no swap', 'have some made, as root: swiftlet up --swap 2GiB');
  const kinds = [...new Set(areas.map(({ kind }) => kind))].join(' and ');
  return { means, inForce: true, detail: `their memory goes to swap (${kinds}, ${Math.round(freeSwapBytes(areas) / 2 ** 20)} MiB free)` };
}

const withoutFreezer = (reason: string): string => `${reason}; idle instances stay ready instead`;
const mountFreezer = 'mkdir -p /sys/fs/cgroup/freezer && mount -t cgroup -o freezer freezer /sys/fs/cgroup/freezer';

const withoutCgroups = (): string =>
  `no cgroup that this process may write; V8 limits the heap${countsProcessesByNamespace() ? ' and the kernel the number of processes' : ''}, nothing limits other memory and CPU`;

function inspectSeccomp(isolated: boolean): IsolationFact {
  const means = 'system-call filter';
  if (!isolated) return notIsolated(means);
  try {
    compileSeccomp();
    return { means, inForce: true, detail: 'seccomp allow-list; everything else answers EPERM' };
  } catch (error) {
    return {
      means,
      inForce: false,
      detail: `libseccomp cannot be used: ${String(error)}`,
      remedy: asRoot('apt-get install -y libseccomp2'),
    };
  }
}

function inspectScratch(isolated: boolean, root: boolean): IsolationFact {
  const means = 'scratch limits';
  if (!isolated) return notIsolated(means);
  return root
    ? { means, inForce: true, detail: '/tmp in memory, limited in bytes and in files' }
    : {
        means,
        inForce: false,
        detail: '/tmp in memory, limited in bytes; only root can limit the number of files',
        remedy: 'start Swiftlet as root',
      };
}

const inspectNetwork = (isolated: boolean): IsolationFact =>
  isolated ? { means: 'network', inForce: true, detail: 'each sandbox has interfaces and a loopback of its own' } : notIsolated('network');

function inspectOutgoing(isolated: boolean, root: boolean, way: WayOutFound): IsolationFact {
  if (!isolated) return notIsolated(outgoing);
  const missing = root ? (tryNetwork() ?? inTheWay()) : way.mode === 'user' ? way.missing : onlyForRoot(way.userMode);
  const by = way.mode === 'user' ? 'nftables; user-mode networking by pasta, no private networks' : 'nftables';
  return missing === undefined
    ? { means: outgoing, inForce: true, detail: `by each function’s policy, on every packet’s real destination (${by})` }
    : { means: outgoing, inForce: false, detail: `none: ${missing.detail}`, remedy: missing.remedy };
}

/** @param userMode what is known of the other way */
function onlyForRoot(userMode: { readonly missing: Missing | undefined } | undefined): Missing {
  const first = userMode?.missing === undefined ? '' : ` (first: ${userMode.missing.remedy})`;
  const lacks = userMode?.missing === undefined ? '' : `; for user-mode networking ${userMode.missing.detail}`;
  return {
    detail: `only root can give functions a way out without user-mode networking${lacks}`,
    remedy: `start Swiftlet as root, or with --network-mode user${first}`,
  };
}

/**
 * Which mode to run in.
 * @param wanted what the operator asked for
 * @throws SwiftletError IsolationUnavailable when functions would run unprotected without the operator having said so
 */
export function chooseIsolation(wanted: IsolationMode | 'auto', report: IsolationReport): IsolationMode {
  if (wanted === 'process') return 'process';
  if (report.mode === 'bubblewrap') return 'bubblewrap';
  const missing = report.facts.filter((fact) => !fact.inForce && fact.remedy !== undefined);
  const reasons = missing.map((fact) => `${fact.detail} (remedy: ${fact.remedy ?? ''})`).join('; ');
  throw new SwiftletError(
    'IsolationUnavailable',
    `functions cannot be isolated here: ${reasons}. To run them unprotected, for development only: --isolation process`,
  );
}
