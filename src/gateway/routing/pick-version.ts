/** Which version a request is for: by weight, or the one that it asks for. Budget for those that ask for none: one look at a header. */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { versionIdOf } from '../../model/function.ts';
import { aliasMark } from '../../model/traffic.ts';
import { type Access, tokenHeader } from '../protection/access.ts';
import { functionOf, unknownFunction } from '../request/failures.ts';
import type { ServedVersion } from '../instances/served-version.ts';
import type { Serving } from '../instances/serving.ts';

/** Asks for one version of a function, by its number. */
export const versionHeader = 'x-swiftlet-version';

/**
 * @param key the function's or its alias's
 * @param name as the caller wrote it
 * @param isTrusted whether the caller has shown a token with the right to invoke the function already
 * @param access asked for the token of those who have not
 * @returns why there is none when there is none
 */
export function pickVersion(
  serving: Serving,
  key: string,
  name: string,
  headers: IncomingHttpHeaders,
  isTrusted: boolean,
  access: Pick<Access, 'mayInvoke'>,
): ServedVersion | SwiftletError {
  const wanted = headers[versionHeader];
  if (wanted === undefined) return serving.choose(key, headers) ?? unknownName(serving, key, name);
  const main = serving.find(functionOf(key));
  if (main === undefined) return unknownFunction(functionOf(name));
  if (main.config.versionHeader !== 'anyone' && !isTrusted && !access.mayInvoke({ tenant: main.tenant, name: main.function }, headers)) {
    return new SwiftletError(
      'Unauthorized',
      `${versionHeader} needs a token with the right to invoke the function in ${tokenHeader}; "versionHeader: anyone" in the manifest opens it to all`,
    );
  }
  const number = String(wanted);
  if (!/^[1-9]\d{0,14}$/.test(number))
    return new SwiftletError('BadRequest', `${versionHeader} is the number of a version, such as 3`, { place: versionHeader });
  return serving.version(versionIdOf({ ...main, number: Number(number) })) ?? notServed(main.function, number);
}

/** What a request stands by when its version serves no more: the id of the one that it asked for, or the name that it came by. */
export const wantedOf = (key: string, { version }: ServedVersion, headers: IncomingHttpHeaders): string =>
  headers[versionHeader] === undefined ? key : versionIdOf(version);

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
