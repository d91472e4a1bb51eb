/** Production dependencies by the lockfile, without their install scripts. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SwiftletError } from '../model/errors.ts';
import type { Installer } from './installer.ts';
import { limitSeconds, runProgram } from './run-program.ts';

export const lockfile = 'package-lock.json';
/** What decides what is installed: the project's own settings can name another registry. */
const inputs = ['package.json', lockfile, '.npmrc'];
const npmArguments = ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
const saidLines = 5;

export const npmInstaller: Installer = {
  folder: 'node_modules',
  leftOut: [],

  async inputs(source) {
    if (!existsSync(join(source, lockfile))) return undefined;
    const there = inputs.filter((name) => existsSync(join(source, name)));
    const contents = await Promise.all(there.map(async (name) => [`\0${name}\0`, await readFile(join(source, name))]));
    return contents.flat();
  },

  async install(source, staging, signal) {
    for (const name of inputs) if (existsSync(join(source, name))) await cp(join(source, name), join(staging, name));
    const notInstalled = (why: string) => failure(join(source, lockfile), why);
    const ran = await runProgram('npm', npmArguments, { cwd: staging, signal });
    if (ran.kind === 'missing') throw notInstalled('there is no npm on the PATH');
    if (ran.kind === 'too slow') throw notInstalled(`it took over ${limitSeconds} s`);
    if (ran.code !== 0) throw notInstalled(summary(ran.said));
    await mkdir(join(staging, 'node_modules'), { recursive: true });
  },
};

const failure = (place: string, why: string): SwiftletError =>
  new SwiftletError('ManifestInvalid', `the dependencies in ${place} could not be installed: ${why}`, { place });

/** The first lines of what npm says, without its prefix and without the path of its own log. */
function summary(said: string): string {
  const lines = said.split('\n').map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim());
  const telling = lines.filter((line) => line !== '' && !line.startsWith('npm warn') && !line.includes('A complete log of this run'));
  return telling.slice(0, saidLines).join('; ');
}
