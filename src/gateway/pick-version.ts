/** Which version a request is for: by weight, or the one that it asks for. Budget for those that ask for none: one look at a header. */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../model/errors.ts';
import { versionIdOf } from '../model/function.ts';
import { aliasMark } from '../model/traffic.ts';
import { unknownFunction } from './failures.ts';
import { isAuthorised } from './platform-paths.ts';
import type { ServedVersion } from './served-version.ts';
import type { Serving } from './serving.ts';

/** Asks for one version of a function, by its number. */
export const versionHeader = 'x-swiftlet-version';
/** Carries the platform's token: in `authorization` it would reach the function. */
const tokenHeader = 'x-swiftlet-token';

/**
 * @param key the function's or its alias's
 * @param name as the caller wrote it
 * @param isTrusted whether the caller has shown the platform's token already
 * @returns why there is none when there is none
 */
export function pickVersion(
  serving: Serving,
  key: string,
  name: string,
  headers: IncomingHttpHeaders,
  isTrusted: boolean,
): ServedVersion | SwiftletError {
  const wanted = headers[versionHeader];
  if (wanted === undefined) return serving.choose(key, headers) ?? unknownName(serving, key, name);
  const main = serving.find(functionOf(key));
  if (main === undefined) return unknownFunction(functionOf(name));
  if (main.config.versionHeader !== 'anyone' && !isTrusted && !hasToken(headers, serving.tokenHashes)) {
    return new SwiftletError(
      'Unauthorized',
      `${versionHeader} needs the platform's token in ${tokenHeader}; "versionHeader: anyone" in the manifest opens it to all`,
    );
  }
  const number = String(wanted);
  if (!/^[1-9]\d{0,14}$/.test(number))
    return new SwiftletError('BadRequest', `${versionHeader} is the number of a version, such as 3`, { place: versionHeader });
  return serving.version(versionIdOf({ ...main, number: Number(number) })) ?? notServed(main.function, number);
}

const hasToken = (headers: IncomingHttpHeaders, hashes: readonly string[]): boolean =>
  isAuthorised(`Bearer ${String(headers[tokenHeader] ?? '')}`, hashes);

/** A name or key without its alias. */
const functionOf = (name: string): string => name.split(aliasMark, 1)[0] ?? name;

function unknownName(serving: Serving, key: string, name: string): SwiftletError {
  const [known = '', alias] = name.split(aliasMark, 2);
  if (alias === undefined || serving.find(functionOf(key)) === undefined) return unknownFunction(known);
  return new SwiftletError(
    'AliasNotFound',
    `function "${known}" has no alias "${alias}"; "swiftlet alias list ${known}" shows those it has`,
  );
}

const notServed = (name: string, number: string): SwiftletError =>
  new SwiftletError(
    'VersionNotFound',
    `no alias of function "${name}" refers to version ${number}; "swiftlet alias set ${name} <alias> ${number}" makes it reachable`,
    { place: versionHeader },
  );
