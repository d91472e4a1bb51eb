/** What is run in a build's sandbox. Pure. */
import type { NodeRuntimeName } from '../../model/runtimes.ts';
import { inside } from '../sandbox/sandbox-driver.ts';

export interface NpmOrder {
  readonly scripts: boolean;
  readonly registry: string;
}

/** Where the files of a build lie inside: see `prepareBuilder`. */
export const npmFolder = 'npm';
export const headersFolder = 'headers';
export const authoritiesFile = 'authorities.pem';

const fixed = [
  'ci',
  '--omit=dev',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  '--no-update-notifier',
  '--loglevel=error',
  // Beside what is installed, which has a limit of its own.
  '--cache=/dev/shm/npm',
  // What does not answer at once is looked at by whoever deploys, not tried for minutes.
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=500',
  '--fetch-timeout=30000',
];

/** What scripts say is passed on. */
export const npmCommand = ({ scripts, registry }: NpmOrder): string[] => [
  `${inside.binFolder}/node`,
  `${inside.runtime}/${npmFolder}/bin/npm-cli.js`,
  ...fixed,
  `--registry=${registry}`,
  scripts ? '--foreground-scripts' : '--ignore-scripts',
];

/** All that it knows of the world. What compiles addons finds the headers of their runtime. */
export const npmEnvironment = (runtime: NodeRuntimeName): Readonly<Record<string, string>> => ({
  npm_config_nodedir: `${inside.runtime}/${headersFolder}/${runtime}`,
  NODE_EXTRA_CA_CERTS: `${inside.runtime}/${authoritiesFile}`,
  PATH: `${inside.binFolder}:/usr/local/bin:/usr/bin:/bin`,
  HOME: '/tmp',
  TMPDIR: '/tmp',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  CI: 'true',
  NO_COLOR: '1',
});
