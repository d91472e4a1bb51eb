/** A function's aliases and its last rollout, and how they may change. Pure: what happens to them is decided here, and carried out by the store. */
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { nameSchema } from '../model/names.ts';
import { isOver, type RolloutPlan, type Rollout, rolloutSchema } from '../model/rollout.ts';
import { allTo, liveAlias, mainVersion, type Split, splitSchema, type Sticky, stickySchema } from '../model/traffic.ts';

/** What an alias points to. */
export const pointerSchema = z.object({
  versions: splitSchema,
  sticky: stickySchema.optional(),
  /** Where it pointed before its last change: the way back. */
  previous: splitSchema.optional(),
  updatedAt: z.iso.datetime(),
});
export type Pointer = z.output<typeof pointerSchema>;

export const trafficSchema = z.object({
  live: pointerSchema,
  /** All other aliases, by name. */
  others: z.record(nameSchema, pointerSchema),
  /** The last one, under way or over. */
  rollout: rolloutSchema.optional(),
});
export type Traffic = z.output<typeof trafficSchema>;

/** What a change is made with. */
export interface ChangeFacts {
  /** The function's name, for messages. */
  readonly name: string;
  /** The numbers of the versions that are kept. */
  readonly kept: ReadonlySet<number>;
  readonly nowMs: number;
}

/** In a request that names one version. */
const versionPlace = (): string => 'version';

const timeOf = ({ nowMs }: Pick<ChangeFacts, 'nowMs'>): string => new Date(nowMs).toISOString();

/** Of a function whose first version this is. */
export const firstTraffic = (version: number, nowMs: number): Traffic => ({
  live: { versions: allTo(version), updatedAt: timeOf({ nowMs }) },
  others: {},
});

/** The rollout that is under way. */
export const rolloutUnderWay = ({ rollout }: Traffic): Rollout | undefined =>
  rollout === undefined || isOver(rollout.state) ? undefined : rollout;

/** All aliases by name, `live` first. */
export const aliasesOf = ({ live, others }: Traffic): [name: string, pointer: Pointer][] => [
  [liveAlias, live],
  ...Object.entries(others).sort(([one], [other]) => (one < other ? -1 : 1)),
];

/** The versions that take requests, or are about to. */
export function servedVersions(traffic: Traffic): Set<number> {
  const rollout = rolloutUnderWay(traffic);
  const rolling = rollout === undefined ? [] : [rollout.from, rollout.to];
  return new Set([...aliasesOf(traffic).flatMap(([, { versions }]) => versions.map(({ version }) => version)), ...rolling]);
}

/** The versions that must be kept: those that are served, and those that a way back leads to. */
export function neededVersions(traffic: Traffic): Set<number> {
  const previous = aliasesOf(traffic).flatMap(([, pointer]) => (pointer.previous ?? []).map(({ version }) => version));
  return new Set([...servedVersions(traffic), ...previous]);
}

/**
 * Points an alias, which is made when there is none of that name.
 * @throws SwiftletError VersionMissing; Conflict for `live` while a rollout moves it
 */
export function setAlias(traffic: Traffic, alias: string, versions: Split, sticky: Sticky | undefined, facts: ChangeFacts): Traffic {
  demandKept(versions, facts, (at) => `versions.${at}.version`);
  if (alias === liveAlias) {
    demandNoRollout(traffic, facts);
    return { ...traffic, live: pointed(traffic.live, versions, sticky, facts) };
  }
  return { ...traffic, others: { ...traffic.others, [alias]: pointed(traffic.others[alias], versions, sticky, facts) } };
}

/** @throws SwiftletError AliasNotFound; BadRequest for `live`, which every function has */
export function removeAlias(traffic: Traffic, alias: string, { name }: Pick<ChangeFacts, 'name'>): Traffic {
  if (alias === liveAlias)
    throw new SwiftletError('BadRequest', `the alias "${liveAlias}" stays as long as its function; "swiftlet remove" removes both`, {
      place: 'alias',
    });
  const { [alias]: gone, ...others } = traffic.others;
  if (gone === undefined)
    throw new SwiftletError(
      'AliasNotFound',
      `function "${name}" has no alias "${alias}"; "swiftlet alias list ${name}" shows those it has`,
    );
  return { ...traffic, others };
}

/**
 * Lets a version take over by a plan. One that takes everything at once does so here; others are moved on by `moveRollout`.
 * @throws SwiftletError VersionMissing; Conflict while another rollout is under way, or while `live` is divided by hand
 */
export function startRollout(traffic: Traffic, to: number, plan: RolloutPlan, facts: ChangeFacts): Traffic {
  demandKept(allTo(to), facts, versionPlace);
  demandNoRollout(traffic, facts);
  const { live } = traffic;
  const from = mainVersion(live.versions);
  const isDivided = live.versions.length > 1;
  if (from === to && !isDivided) throw new SwiftletError('Conflict', `version ${to} of function "${facts.name}" has all requests already`);
  const rollout = { from, to, plan, startedMs: facts.nowMs, held: 0, watch: facts.nowMs };
  if (plan.strategy === 'all-at-once') {
    const completed = { ...rollout, state: { kind: 'completed' as const, atMs: facts.nowMs } };
    return { ...traffic, live: pointed(live, allTo(to), undefined, facts), rollout: completed };
  }
  if (isDivided)
    throw new SwiftletError(
      'Conflict',
      `function "${facts.name}" divides its requests among ${live.versions.length} versions already; point "${liveAlias}" to one with "swiftlet alias set ${facts.name} ${liveAlias} ${from}" first`,
    );
  return { ...traffic, rollout: { ...rollout, state: { kind: 'started' } } };
}

/** How far a rollout has come, and how many of a hundred requests the new version gets from now on. */
export interface RolloutMove {
  readonly rollout: Rollout;
  readonly split: Split;
}

/** Moves the rollout that is under way. What it leaves behind when it is over is the way back. */
export function moveRollout(traffic: Traffic, { rollout, split }: RolloutMove, facts: Pick<ChangeFacts, 'nowMs'>): Traffic {
  const { live } = traffic;
  const sticky = isOver(rollout.state) || rollout.plan.strategy !== 'canary' ? undefined : rollout.plan.sticky;
  const previous = rollout.state.kind === 'completed' ? allTo(rollout.from) : live.previous;
  return { ...traffic, rollout, live: { versions: split, sticky, previous, updatedAt: timeOf(facts) } };
}

/** Gives everything back to the version before. @throws SwiftletError RolloutNotFound when none is under way */
export function abortRollout(traffic: Traffic, facts: ChangeFacts): Traffic {
  const rollout = rolloutUnderWay(traffic);
  if (rollout === undefined)
    throw new SwiftletError(
      'RolloutNotFound',
      `no rollout of function "${facts.name}" is under way; "swiftlet rollback ${facts.name}" goes back after one`,
    );
  const aborted: Rollout = { ...rollout, state: { kind: 'aborted', atMs: facts.nowMs } };
  return moveRollout(traffic, { rollout: aborted, split: allTo(rollout.from) }, facts);
}

/**
 * Points `live` back: to a version, or to where it pointed before. Whatever rollout is under way is aborted.
 * @throws SwiftletError VersionMissing; RolloutNotFound when there is nothing to go back to
 */
export function rollBack(traffic: Traffic, to: number | undefined, facts: ChangeFacts): Traffic {
  const isMoving = rolloutUnderWay(traffic) !== undefined;
  const still = isMoving ? abortRollout(traffic, facts) : traffic;
  if (to === undefined && isMoving) return still;
  const target = to === undefined ? still.live.previous : allTo(to);
  if (target === undefined)
    throw new SwiftletError('RolloutNotFound', `function "${facts.name}" has had one version only; there is nothing to go back to`);
  demandKept(target, facts, versionPlace);
  return { ...still, live: pointed(still.live, target, undefined, facts) };
}

function pointed(before: Pointer | undefined, versions: Split, sticky: Sticky | undefined, facts: ChangeFacts): Pointer {
  return { versions, sticky, previous: before?.versions, updatedAt: timeOf(facts) };
}

/** @param placeOf where in the request the version stands, by its number among them */
function demandKept(versions: Split, { name, kept }: ChangeFacts, placeOf: (at: number) => string): void {
  for (const [at, { version }] of versions.entries())
    if (!kept.has(version))
      throw new SwiftletError(
        'VersionMissing',
        `function "${name}" has no version ${version}; "swiftlet versions ${name}" shows those that are kept`,
        {
          place: placeOf(at),
        },
      );
}

function demandNoRollout(traffic: Traffic, { name }: ChangeFacts): void {
  const rollout = rolloutUnderWay(traffic);
  if (rollout === undefined) return;
  throw new SwiftletError(
    'Conflict',
    `version ${rollout.to} of function "${name}" is being rolled out; wait for it, or end it with "swiftlet rollout abort ${name}"`,
  );
}
