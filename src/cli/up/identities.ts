/** Host users of a platform that is started by root: one for each role, one for each sandbox, one group for all roles. */
import type { RoleName } from '../../role/role-config.ts';

/** Numbers that no distribution and no container tool gives out (systemd's UIDS-GIDS document lists who has which). */
const firstOfAll = 1_900_000_000;
const perPlatform = 10_000;
const platforms = 20_000;
const firstSandbox = 100;

export interface Identities {
  readonly group: number;
  readonly firstSandboxUid: number;
  of(role: RoleName): { readonly uid: number; readonly gid: number } | undefined;
}

/** @param id the data folder's id, hexadecimal: the same folder has the same users at every start */
export function identitiesOf(id: string): Identities {
  const base = firstOfAll + (Number.parseInt(id, 16) % platforms) * perPlatform;
  const uids: Readonly<Record<RoleName, number | undefined>> = {
    control: base + 1,
    gateway: base + 2,
    relay: base + 3,
    events: base + 4,
    agent: undefined,
  };
  return {
    group: base,
    firstSandboxUid: base + firstSandbox,
    of(role) {
      const uid = uids[role];
      return uid === undefined ? undefined : { uid, gid: uid };
    },
  };
}
