/** What npm's and pip's words tell of the reason why it failed, and what to do about it. Pure. */
import { scratchBytes } from '../../model/limits.ts';

export interface FailureSign {
  readonly pattern: RegExp;
  /** The reason and the remedy. @param registries that a build may reach */
  readonly what: (registries: readonly string[]) => string;
}

const mebibyte = 1024 * 1024;

/** The first that was seen is the reason, in this order. */
const signs: readonly FailureSign[] = [
  {
    pattern: /ENOSPC|No space left/,
    what: () =>
      `its disk of ${scratchBytes / mebibyte} MiB is full; install less, or build where you deploy (--build local) and leave out what is not needed`,
  },
  {
    pattern: /code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ECONNRESET|ERR_SOCKET_TIMEOUT)/,
    what: (registries) =>
      `npm could not reach something; a build reaches ${registries.join(' and ')} and nothing else (SWIFTLET_REGISTRIES of "swiftlet up"): see whether they answer, and whether the lockfile names another host`,
  },
  {
    pattern: /code (SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID)/,
    what: () =>
      'the registry’s certificate is not one that builds trust; SWIFTLET_REGISTRY_CA of "swiftlet up" names a file with the authority that signed it',
  },
  {
    pattern: /code (ERR_SSL_\w+|EPROTO|EPIPE|Z_\w+)/,
    what: () =>
      'the connection to the registry broke off; deploy again, and should it stay so, see whether SWIFTLET_REGISTRIES of "swiftlet up" has the right protocol and port',
  },
  {
    pattern: /code EUSAGE|code EJSONPARSE/,
    what: () => 'package.json and package-lock.json do not fit together; run "npm install" and deploy again',
  },
  {
    pattern: /code (E401|E403)/,
    what: () => 'the registry wants to know who asks, which a build does not tell: build where your .npmrc is (--build local)',
  },
  {
    pattern: /code (E404|ETARGET)/,
    what: (registries) =>
      `${registries.join(' and ')} ${registries.length === 1 ? 'does' : 'do'} not have what the lockfile says; correct the dependency in package.json, run "npm install" and deploy again`,
  },
  {
    pattern: /code EINTEGRITY/,
    what: () =>
      'a package of the registry is not the one that the lockfile was made with; find out which of the two is wrong before "npm install" takes the new one over',
  },
  {
    pattern: /EBADENGINE|EBADPLATFORM/,
    what: () => 'a package is not for this runtime; choose another "runtime", or another version of the package',
  },
  {
    pattern: /gyp ERR! .*(?:not found: make|any Python installation)|make: \S+: No such file/,
    what: () =>
      'a native addon has to be compiled, and the host lacks a program for it: "swiftlet doctor" there says which; or choose a version of the package that comes prebuilt',
  },
  {
    pattern: /Failed to establish a new connection|Temporary failure in name resolution|Read timed out|Connection (?:refused|reset)/,
    what: (registries) =>
      `pip could not reach something; a build reaches ${registries.join(' and ')} and nothing else (SWIFTLET_PYTHON_REGISTRIES of "swiftlet up"): see whether they answer`,
  },
  {
    pattern: /No matching distribution found/,
    what: () =>
      'the index has no such version for this Python, or has no wheel of it; "build: { scripts: allow }" in the manifest has it built from its source',
  },
  { pattern: /Invalid requirement|invalid requirement/, what: () => 'a requirement cannot be read' },
  {
    pattern: /command failed/,
    what: (registries) => `an install script failed; scripts reach ${registries.join(' and ')} and nothing else`,
  },
];

/** @param line of the output */
export const signIn = (line: string): FailureSign | undefined => signs.find(({ pattern }) => pattern.test(line));

/** The one that is the reason. */
export const firstOf = (seen: ReadonlySet<FailureSign>): FailureSign | undefined => signs.find((sign) => seen.has(sign));
