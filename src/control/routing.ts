/** What gateways and agents are told of a function's traffic. Pure. */
import type { Version } from '../model/function.ts';
import { mainVersion, weightIn } from '../model/traffic.ts';
import type { PublishedFunction } from '../wire/published-state.ts';
import { aliasesOf, neededVersions, rolloutUnderWay, servedVersions, type Traffic } from './traffic.ts';
import { wantedWarm } from './warm-target.ts';

/** The versions of a function that its traffic needs, by number. */
export type NeededVersions = ReadonlyMap<number, Version>;

/** @throws Error when the serving version is not among them: the store keeps it */
export function publishedFunction(traffic: Traffic, versions: NeededVersions): PublishedFunction {
  const main = mainVersion(traffic.live.versions);
  const serving = versions.get(main);
  if (serving === undefined) throw new Error(`version ${main}, which serves, is not stored`);
  const served = servedVersions(traffic);
  const others = [...served].filter((number) => number !== main).flatMap((number) => versions.get(number) ?? []);
  const standby = [...neededVersions(traffic)]
    .filter((number) => !served.has(number))
    .flatMap((number) => versions.get(number)?.digest ?? []);
  return {
    tenant: serving.tenant,
    name: serving.function,
    serving,
    routing: {
      others,
      aliases: aliasesOf(traffic).map(([name, { versions: split, sticky }]) => ({ name, versions: split, sticky })),
      minimums: [serving, ...others].flatMap((version) => {
        const instances = minimumOf(version, traffic, versions);
        return instances === version.config.minimum ? [] : [{ version: version.number, instances }];
      }),
      standby,
      watch: rolloutUnderWay(traffic)?.watch,
    },
  };
}

/** Instances to keep of a version: its share of its own minimum, or what a rollout needs of it if that is more. */
function minimumOf({ number, config }: Version, traffic: Traffic, versions: NeededVersions): number {
  const own = Math.ceil((config.minimum * weightIn(traffic.live.versions, number)) / 100);
  const rollout = rolloutUnderWay(traffic);
  if (rollout === undefined) return own;
  if (number === rollout.from) return Math.max(own, rollout.held);
  const [from, to] = [versions.get(rollout.from), versions.get(rollout.to)];
  if (number !== rollout.to || from === undefined || to === undefined) return own;
  return Math.max(own, wantedWarm(rollout, from.config, to.config));
}
