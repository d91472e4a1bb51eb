/** What a role has been told of secrets, and what it has to be told next. Pure. */
import type { FunctionConfig } from '../../model/function.ts';
import type { Change, PublishedFunction } from '../../wire/published-state.ts';
import { functionKey } from '../../wire/published-state.ts';
import { secretKey } from '../../wire/secret-calls.ts';

export interface SecretName {
  readonly tenant: string;
  readonly name: string;
}

/** The names of the secrets that a role needs of a version. */
export type Needed = (config: FunctionConfig) => readonly string[];

/** The secrets that each function's published versions refer to, by the function's key. */
export type References = ReadonlyMap<string, readonly SecretName[]>;

export const referencesOf = ({ tenant, serving, routing }: PublishedFunction, needed: Needed): SecretName[] =>
  [...new Set([serving, ...routing.others].flatMap(({ config }) => needed(config)))].map((name) => ({ tenant, name }));

/** The references after a change. */
export function referencesAfter(references: References, { change }: Change, needed: Needed): References {
  if (change.kind !== 'served' && change.kind !== 'removed') return references;
  const next = new Map(references);
  const { tenant, name } = change.kind === 'served' ? change.function : change;
  const names = change.kind === 'served' ? referencesOf(change.function, needed) : [];
  if (names.length > 0) next.set(functionKey(tenant, name), names);
  else next.delete(functionKey(tenant, name));
  return next;
}

/** All secrets that any function refers to, by their keys. */
export const wantedSecrets = (references: References): Map<string, SecretName> =>
  new Map([...references.values()].flat().map((one) => [secretKey(one.tenant, one.name), one]));

/** Those that were told and are wanted no more. @param told numbers by key */
export const toForget = (told: ReadonlyMap<string, number>, wanted: ReadonlyMap<string, SecretName>): string[] =>
  [...told.keys()].filter((key) => !wanted.has(key));
