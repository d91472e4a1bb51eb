/** Where roles listen for each other's calls: Unix sockets on one machine; between two, places in the network with certificates. */
import type { Logger } from 'pino';
import type { CertifiedRole, Proof, ShownCertificate } from '../wire/secure/role-certificate.ts';
import type { CallPlace, SecurePlace } from '../wire/secure/secure-place.ts';
import { certificateFileOf, followCredentials } from './certificates/credentials-file.ts';
import type { HeldCredentials } from './certificates/held-credentials.ts';
import { RefusedLines } from './refused-lines.ts';
import { type RoleConfig, type RoleName, roleNames, socketOf, stateSocketOf } from './role-config.ts';

/** What is called: a role's own door; the one where control publishes its state; the one where it serves other hosts. */
export type Door = RoleName | 'state' | 'hosts';
export type Hosts = NonNullable<RoleConfig['hosts']>;

interface DoorPlan {
  readonly owner: RoleName;
  /** Who may call there from another host. */
  readonly callers: readonly CertifiedRole[];
  /** After the port of its host. */
  readonly offset: number;
}

/** Control's own door is for the supervisor's host only. */
const plans: Readonly<Record<Exclude<Door, 'control'>, DoorPlan>> = {
  state: { owner: 'control', callers: ['gateway', 'agent', 'events'], offset: 0 },
  hosts: { owner: 'control', callers: ['host', 'agent'], offset: 1 },
  gateway: { owner: 'gateway', callers: ['control'], offset: 0 },
  agent: { owner: 'agent', callers: ['control'], offset: 1 },
  relay: { owner: 'relay', callers: ['control'], offset: 2 },
  events: { owner: 'events', callers: ['control'], offset: 3 },
};

/** The roles that a host has. */
export const rolesOf = (serves: 'all' | Hosts['serves']): readonly RoleName[] =>
  roleNames.filter((role) => serves === 'all' || (role === 'control') === (serves === 'control'));

export interface CallPlaces extends Disposable {
  /**
   * Where a door of this role is opened: for this machine, and for the other host if there is one.
   * @param index which of several gateways this is, from 0 on; with two hosts there is one
   */
  listen(door: Door, index?: number): readonly CallPlace[];
  /** Where another role's door is. @param index which of several gateways is meant */
  of(door: Door, index?: number): CallPlace;
  /** The certificates of this process, if it has any, and of the other end of each kind of connection, the latest. */
  certificates(): readonly Proof[];
}

type PlacesConfig = Pick<RoleConfig, 'run' | 'hosts'>;

/**
 * @param own what this role shows; absent: what its supervisor puts into its folder
 * @throws SwiftletError BadRequest when there should be a certificate in the role's folder and there is none that can be used
 */
export function openCallPlaces({ run, hosts }: PlacesConfig, role: RoleName, log: Logger, own?: HeldCredentials): CallPlaces {
  const local = (door: Door, index = 0): string => (door === 'state' || door === 'hosts' ? stateSocketOf(run) : socketOf(run, door, index));
  if (hosts === undefined)
    return { listen: (...door) => [local(...door)], of: local, certificates: () => [], [Symbol.dispose]: () => undefined };
  const followed = own === undefined ? followCredentials(certificateFileOf(run, role), log) : undefined;
  const credentials = own ?? followed?.credentials;
  if (credentials === undefined) throw new TypeError('a role on several hosts has credentials');
  const seen = new Map<CertifiedRole, Proof>();
  // Connections of ours that fail must not hide those of others that are refused.
  const refusals = { here: new RefusedLines(log, () => Date.now()), other: new RefusedLines(log, () => Date.now()) };
  const place = (door: Door, side: 'here' | 'other', roles: readonly CertifiedRole[]): SecurePlace => ({
    ...secureAddress(hosts, door, side),
    credentials,
    roles,
    refused: (why, from) => refusals[side].note(why, from),
    proved: (proof) => seen.set(proof.role, proof),
  });
  const here = rolesOf(hosts.serves);
  return {
    listen: (door) =>
      door === 'control'
        ? [local(door)]
        : door === 'hosts'
          ? [place(door, 'here', plans[door].callers)]
          : [local(door), place(door, 'here', plans[door].callers)],
    of: (door) => (door === 'control' || here.includes(plans[door].owner) ? local(door) : place(door, 'other', [plans[door].owner])),
    certificates: () => [...provenBy(credentials.current.shown), ...seen.values()],
    [Symbol.dispose]: () => followed?.[Symbol.dispose](),
  };
}

const provenBy = ({ role, ...shown }: ShownCertificate): Proof[] => (role === undefined ? [] : [{ ...shown, role }]);

/** @throws TypeError for control's own door, which is not opened to the network */
export function secureAddress(hosts: Pick<Hosts, 'here' | 'other'>, door: Door, side: 'here' | 'other'): { host: string; port: number } {
  if (door === 'control') throw new TypeError('control’s own door is for its own host');
  const { host, port } = hosts[side];
  return { host, port: port + plans[door].offset };
}
