/** What is run in a build's sandbox to install packages for Python. Pure. */
import { inside } from '../sandbox/sandbox-driver.ts';

export interface PipOrder {
  /** The host's Python, which sandboxes have where the host has it. */
  readonly interpreter: string;
  /** Whether packages without a wheel are built, by what they bring along. */
  readonly scripts: boolean;
  /** The index. */
  readonly registry: string;
}

/** Where the files of a build lie inside: see `prepareBuilder`. */
export const packagesProgram = 'packages.py';
export const allAuthoritiesFile = 'all-authorities.pem';

export const pipCommand = ({ interpreter, scripts }: Omit<PipOrder, 'registry'>): string[] => [
  interpreter,
  `${inside.runtime}/${packagesProgram}`,
  ...(scripts ? [] : ['--only-binary', ':all:']),
];

/** All that it knows of the world. */
export function pipEnvironment({ registry }: Pick<PipOrder, 'registry'>): Readonly<Record<string, string>> {
  const { protocol, host } = new URL(registry);
  return {
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: registry,
    // pip asks nobody who cannot prove who he is, unless he is named.
    ...(protocol === 'http:' ? { PIP_TRUSTED_HOST: host } : {}),
    PIP_CERT: `${inside.runtime}/${allAuthoritiesFile}`,
    PIP_NO_CACHE_DIR: '1',
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    // What does not answer at once is looked at by whoever deploys, not tried for minutes.
    PIP_RETRIES: '1',
    PIP_TIMEOUT: '30',
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/tmp',
    // Beside what is installed, which has a limit of its own.
    TMPDIR: '/dev/shm',
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    CI: 'true',
  };
}
