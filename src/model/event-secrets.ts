/** The secrets that the platform itself needs for a function: those of its sources, webhooks and queues. */
import type { Destinations } from './destination.ts';
import type { SecretReferences } from './secret.ts';
import type { UrlAuth } from './url-auth.ts';
import { secretVariables, type SourceConfig } from './source.ts';

/** What counts of a function's configuration. */
interface Configured {
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: SecretReferences;
  readonly sources: Readonly<Record<string, SourceConfig>>;
  readonly destinations: Destinations;
}

/** The variables that its sources and destinations name. */
export const eventVariables = ({ sources, destinations: { success, failure } }: Pick<Configured, 'sources' | 'destinations'>): string[] => [
  ...Object.values(sources).flatMap(({ origin }) => secretVariables(origin)),
  ...[success, failure].flatMap((one) => {
    if (one?.kind === 'webhook') return [one.secretVariable];
    return one?.kind === 'queue' ? secretVariables(one.to) : [];
  }),
];

/** The names of the secrets that these variables have, each once. */
export const eventSecretNames = (config: Configured): string[] =>
  [...new Set(eventVariables(config).flatMap((variable) => secretOf(config, variable) ?? []))].sort();

/** The names of the secrets that callers of its address sign with. */
export const callerSecretNames = ({
  url,
  secrets,
}: Pick<Configured, 'secrets'> & { readonly url?: string | UrlAuth | undefined }): string[] =>
  typeof url === 'object' && url.kind === 'hmac' ? url.secretVariables.flatMap((variable) => secretOf({ secrets }, variable) ?? []) : [];

/** The secret that a variable is the value of; undefined: it is none, or a file, which the platform does not read. */
export function secretOf({ secrets }: Pick<Configured, 'secrets'>, variable: string): string | undefined {
  const reference = Object.hasOwn(secrets, variable) ? secrets[variable] : undefined;
  return reference?.as === 'environment' ? reference.secret : undefined;
}

/** Whether a variable has a value, or will have one when the function runs. */
export const hasValue = (config: Pick<Configured, 'environment' | 'secrets'>, variable: string): boolean =>
  (config.environment[variable] ?? '') !== '' || secretOf(config, variable) !== undefined;
