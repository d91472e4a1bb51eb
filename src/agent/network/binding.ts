/** What goes through for a line, as elements of three maps of the router, by its interface, which nobody in a sandbox can forge. Pure. */
import type { ElementChange } from '../linux/set-element.ts';
import { type Line, lineInterface } from './address-plan.ts';
import type { Divisor } from './allowance.ts';
import { policyChain } from './policy-rules.ts';

/** A line without one is closed. */
export interface Binding {
  /** The id of its policy. */
  readonly policy: string;
  /** The id of its choice of private networks; undefined without any. */
  readonly choice: string | undefined;
  /** By what its limits on connections are divided. */
  readonly divisor: Divisor;
}

/** Tells bindings apart. */
export const bindingKey = (binding: Binding | undefined): string =>
  binding === undefined ? '' : `${binding.policy} ${binding.choice ?? ''} ${binding.divisor}`;

/** Which policy a line has: whether its packets may go. */
export const boundMap = 'bound';
/** Which private networks a line has: where its packets may go. */
export const privateMap = 'private';

/** Which lines have less than the usual limits; most have no element in it. */
export const allowanceMap = 'allowance';

export const openChain = (divisor: Divisor): string => (divisor === 1 ? 'open' : `open_${divisor}`);

export const choiceChain = (id: string): string => `private_${id}`;

/** What is to be changed for an interface that has `now`, so that it has `wanted`; both undefined for none. */
export function bindingChanges(name: string, now: Binding | undefined, wanted: Binding | undefined): ElementChange[] {
  return [
    ...chainChanges(privateMap, name, chainOf(now?.choice, choiceChain), chainOf(wanted?.choice, choiceChain)),
    ...chainChanges(allowanceMap, name, allowanceChain(now), allowanceChain(wanted)),
    ...chainChanges(boundMap, name, chainOf(now?.policy, policyChain), chainOf(wanted?.policy, policyChain)),
  ];
}

/** All maps with all their lines, for the router’s table. */
export function bindingMaps(bound: ReadonlyMap<Line, Binding>): string {
  const policies = [...bound].map(([line, { policy }]) => goes(line, policyChain(policy)));
  const choices = [...bound].flatMap(([line, { choice }]) => (choice === undefined ? [] : [goes(line, choiceChain(choice))]));
  const allowances = [...bound].flatMap(([line, { divisor }]) => (divisor === 1 ? [] : [goes(line, openChain(divisor))]));
  return `map ${boundMap} { type ifname : verdict; ${elements(policies)} }
  map ${privateMap} { type ifname : verdict; ${elements(choices)} }
  map ${allowanceMap} { type ifname : verdict; ${elements(allowances)} }`;
}

const allowanceChain = (binding: Binding | undefined): string | undefined =>
  binding === undefined || binding.divisor === 1 ? undefined : openChain(binding.divisor);

const chainOf = (id: string | undefined, name: (id: string) => string): string | undefined => (id === undefined ? undefined : name(id));

function chainChanges(set: string, name: string, now: string | undefined, wanted: string | undefined): ElementChange[] {
  if (now === wanted) return [];
  return [
    ...(now === undefined ? [] : [{ kind: 'remove' as const, set, name }]),
    ...(wanted === undefined ? [] : [{ kind: 'add' as const, set, name, chain: wanted }]),
  ];
}

const goes = (line: Line, chain: string): string => `"${lineInterface(line).name}" : goto ${chain}`;

const elements = (list: readonly string[]): string => (list.length === 0 ? '' : `elements = { ${list.join(', ')} }`);
