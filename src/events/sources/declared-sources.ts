/** The sources that published functions declare. Pure. */
import type { Version } from '../../model/function.ts';
import { secretVariables, type SourceConfig } from '../../model/source.ts';
import { missingVariable, type Variable } from '../../wire/variables.ts';
import type { SourceMeans, StartPosition } from './source.ts';
import { sourceKey, type SourceRef } from './source-store.ts';

export interface DeclaredSource {
  readonly ref: SourceRef;
  readonly config: SourceConfig;
  /** The values of the variables that the source names. */
  readonly secrets: Readonly<Record<string, Variable>>;
}

/** What a variable of a version has now. */
export type VariableOf = (version: Version, variable: string) => Variable;

/** By their keys. */
export function declaredSources(functions: Iterable<Version>, variableOf: VariableOf): Map<string, DeclaredSource> {
  const declared = new Map<string, DeclaredSource>();
  for (const version of functions) {
    const { tenant, function: name } = version;
    for (const [source, its] of Object.entries(version.config.sources)) {
      const ref = { tenant, function: name, source };
      const secrets = Object.fromEntries(secretVariables(its.origin).map((variable) => [variable, variableOf(version, variable)]));
      declared.set(sourceKey(ref), { ref, config: its, secrets });
    }
  }
  return declared;
}

/** Whether nothing about a source has changed, so that it simply goes on. */
export const isSame = (one: DeclaredSource, other: DeclaredSource): boolean =>
  JSON.stringify([one.config, one.secrets]) === JSON.stringify([other.config, other.secrets]);

/** Names have no `_`, so that no two sources have the same. */
export const consumerOf = ({ ref, config }: Pick<DeclaredSource, 'ref' | 'config'>): string =>
  config.consumer ?? ['swiftlet', ref.tenant, ref.function, ref.source].join('_');

export const startOf = ({ start }: Pick<SourceConfig, 'start'>): StartPosition =>
  start === 'earliest' || start === 'latest' ? { kind: start } : { kind: 'at', atMs: Date.parse(start) };

export const secretsOf =
  ({ ref, secrets }: Pick<DeclaredSource, 'ref' | 'secrets'>, missing: (what: string) => Error): SourceMeans['secret'] =>
  (variable) => {
    const found = secrets[variable] ?? { kind: 'none' };
    if (found.kind === 'known') return found.value;
    throw missing(missingVariable(found, variable, ref.function));
  };
