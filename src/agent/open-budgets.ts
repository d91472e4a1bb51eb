/** Which limits this one of several agents has parts of: its functions' maximums, and its tenants' memory. With one agent nothing of it is there. */
import { join } from 'node:path';
import { agentsFor } from '../model/fleet.ts';
import type { Version } from '../model/function.ts';
import { agentLabels, agentPlace, agentsOf, type RoleConfig } from '../role/role-config.ts';
import type { Budget, Lacks } from '../wire/budget-calls.ts';
import { functionKey, type PublishedState } from '../wire/published-state.ts';
import { Budgets } from './budgets.ts';
import type { Instances } from './instances.ts';
import type { ServedVersions } from './served-versions.ts';

/** Before a tenant's name: the budget of its memory. */
const memoryOf = 'memory ';

export interface OpenBudgetsMeans {
  readonly served: Pick<ServedVersions, 'all' | 'tenant'>;
  readonly instances: () => Pick<Instances, 'alive' | 'memoryMiB'>;
  /** Instances of a version that are kept here even without traffic. */
  readonly minimum: (version: Version) => number;
  readonly tell: (lacks: Lacks) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

export interface OpenBudgets {
  readonly all: Budgets;
  /** Instances that a version's function may have here. */
  ofFunction(version: Version): number;
  /** What a tenant's instances may take here. @param whole at all agents, in MiB */
  ofTenant(tenant: string, whole: number): number;
  /** An instance was refused for the want of it. */
  lacks(version: Version, what: 'instances' | 'memory'): void;
  /** Forgets what is limited no more. */
  take(state: Pick<PublishedState, 'tenants'>, versions: readonly Version[]): void;
}

/** @returns undefined where there is one agent */
export function openBudgets(config: RoleConfig, { served, instances, minimum, tell, now }: OpenBudgetsMeans): OpenBudgets | undefined {
  const { count = 1, index = 0 } = config.agent;
  if (count === 1) return undefined;
  const labels = agentLabels(config);
  const ofFunction = ({ tenant, function: name, config: { maximum, groups, network } }: Version): Budget => ({
    key: functionKey(tenant, name),
    whole: maximum,
    agents: agentsFor({ groups, network }, labels),
    keepsHalf: true,
  });
  const ofTenant = (tenant: string, whole: number): Budget => ({
    key: `${memoryOf}${tenant}`,
    whole,
    agents: agentsOf(config),
    keepsHalf: false,
  });
  const used = ({ key }: Budget): number => {
    if (key.startsWith(memoryOf)) return instances().memoryMiB(key.slice(memoryOf.length));
    const versions = served.all.filter(({ tenant, function: name }) => functionKey(tenant, name) === key);
    const provided = versions.reduce((sum, version) => sum + minimum(version), 0);
    const [tenant = '', name = ''] = key.split('/');
    return Math.max(provided, instances().alive({ tenant, function: name }));
  };
  const all = new Budgets({ agent: index, path: join(agentPlace(config, index).run, 'budgets.json'), used, tell, now });
  return {
    all,
    ofFunction: (version) => all.of(ofFunction(version)),
    ofTenant: (tenant, whole) => all.of(ofTenant(tenant, whole)),
    lacks(version, what) {
      const whole = served.tenant(version.tenant)?.quotas.memoryMiB ?? 0;
      if (what === 'instances') all.lacks(ofFunction(version), 1);
      else all.lacks(ofTenant(version.tenant, whole), version.config.memoryMiB);
    },
    take({ tenants }, versions) {
      const limited = [...tenants.values()].flatMap(({ name, quotas }) =>
        quotas.memoryMiB === undefined ? [] : [ofTenant(name, quotas.memoryMiB)],
      );
      all.keepOnly([...versions.map(ofFunction), ...limited]);
    },
  };
}
