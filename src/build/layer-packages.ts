/** A layer of packages from npm or PyPI, laid out as functions find them. It is installed on the machine of who publishes it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SwiftletError } from '../model/errors.ts';
import { findPython, pythonVariable } from './find-python.ts';
import { limitSeconds, runProgram } from './run-program.ts';

const npmArguments = [
  ...['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress'],
  ...['--package-lock=false', '--loglevel=error'],
];
const pipArguments = ['-m', 'pip', 'install', '--only-binary', ':all:', '--no-compile', '--no-input', '--quiet', '--no-color'];
const quietly = { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore' };
const saidLines = 5;

/** Packages by what installs them, as its command line has them: `@aws-sdk/client-s3@3`, `boto3==1.40`. */
export interface LayerPackages {
  readonly npm: readonly string[];
  readonly pip: readonly string[];
}

/** @param texts `npm:<package>` or `pip:<package>` @throws SwiftletError BadRequest */
export function parsePackages(texts: readonly string[]): LayerPackages {
  const packages = { npm: [] as string[], pip: [] as string[] };
  for (const text of texts) {
    const [, program, name = ''] = text.match(/^(npm|pip):([^-\s]\S*)$/) ?? [];
    if (program !== 'npm' && program !== 'pip')
      throw new SwiftletError(
        'BadRequest',
        `--from ${text}: it is npm:<package> or pip:<package>, such as npm:@aws-sdk/client-s3@3 or pip:boto3`,
      );
    packages[program].push(name);
  }
  return packages;
}

/** What code imports of packages, as far as their names say it. @param texts as for `parsePackages` */
export function packagesNamed(texts: readonly string[]): string[] {
  const { npm, pip } = parsePackages(texts);
  return [
    ...npm.map((text) => text.replace(/(?<=.)@.*$/, '')),
    ...pip.map((text) => (/^[\w.-]+/.exec(text)?.[0] ?? text).replaceAll('-', '_')),
  ];
}

/**
 * Installs into an empty folder: `nodejs/node_modules` and `python`. Nothing of the packages is run.
 * @throws SwiftletError ManifestInvalid with what the program said; the signal's reason when that ends it
 */
export async function installPackages({ npm, pip }: LayerPackages, folder: string, signal: AbortSignal): Promise<void> {
  if (npm.length > 0) {
    const home = join(folder, 'nodejs');
    await mkdir(home);
    await run('npm', [...npmArguments, '--prefix', home, ...npm], home, signal);
  }
  if (pip.length > 0) {
    const home = join(folder, 'python');
    await mkdir(home);
    const python = findPython(process.env);
    if (python === undefined) throw failure(`there is no Python here; install it, or name it by ${pythonVariable}`);
    await run(python, [...pipArguments, '--target', home, ...pip], home, signal);
  }
}

async function run(program: string, argument: readonly string[], cwd: string, signal: AbortSignal): Promise<void> {
  const ran = await runProgram(program, argument, { cwd, env: quietly, signal });
  if (ran.kind === 'missing') throw failure(`there is no ${program} on the PATH`);
  if (ran.kind === 'too slow') throw failure(`it took over ${limitSeconds} s`);
  if (ran.code !== 0) throw failure(ran.said.trim().split('\n').slice(0, saidLines).join('; '));
}

const failure = (why: string): SwiftletError => new SwiftletError('ManifestInvalid', `the layer's packages could not be installed: ${why}`);
