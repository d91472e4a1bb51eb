/** Packages for Python by requirements.txt, else by pyproject.toml: wheels only, so that nothing of theirs runs on the deployer's machine. */
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SwiftletError } from '../model/errors.ts';
import { findPython, pythonVariable } from './find-python.ts';
import { projectFile, requirementsFile, wheelsFolder } from './installation.ts';
import type { Installer } from './installer.ts';
import { projectRequirements } from './project-requirements.ts';
import { lineOf, readRequirements } from './requirements.ts';
import { limitSeconds, runProgram } from './run-program.ts';

const target = 'site-packages';
/** Where a sandbox has them, for what is compiled ahead. */
const insideFolder = '/var/task/site-packages';
const pipArguments = ['-m', 'pip', 'install', '--only-binary', ':all:', '--no-compile', '--no-input', '--quiet', '--no-color'];
const quietly = { PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_ROOT_USER_ACTION: 'ignore' };
const saidLines = 5;
/** With any other one sets, and so the compiled files, would have another order each time. */
const oneOrder = { PYTHONHASHSEED: '0' };

export const pipInstaller: Installer = {
  folder: target,
  leftOut: [wheelsFolder],

  async inputs(source, signal) {
    const asking = await requirementsOf(source, signal);
    // What is installed is for one release line, which the interpreter's own file names.
    return asking && [`python\0${realpathSync(asking.python)}\0`, asking.text, ...(await wheelsIn(source))];
  },

  async install(source, staging, signal) {
    await mkdir(join(staging, target));
    const asking = await requirementsOf(source, signal);
    if (asking === undefined) return;
    const { file, text, python } = asking;
    const place = join(source, file);
    // In the source's folder, where what it refers to begins.
    const list = file === requirementsFile ? requirementsFile : join(staging, requirementsFile);
    if (list !== requirementsFile) await writeFile(list, text);
    const from = existsSync(join(source, wheelsFolder)) ? ['--no-index', '--find-links', wheelsFolder] : [];
    const argument = [...pipArguments, ...from, '--target', join(staging, target), '--requirement', list];
    const ran = await runProgram(python, argument, { cwd: source, env: quietly, signal });
    if (ran.kind === 'missing') throw failure(place, noPython);
    if (ran.kind === 'too slow') throw failure(place, `it took over ${limitSeconds} s`);
    if (ran.code !== 0) throw failure(placeOf(place, text, ran.said), summary(python, ran.said));
    await compile(python, join(staging, target), signal);
  },
};

const noPython = `there is no Python here; install it (apt-get install python3 python3-pip), or name it by ${pythonVariable}`;

interface Asking {
  readonly file: string;
  /** As lines of a requirements.txt. */
  readonly text: string;
  /** Who is to install it. */
  readonly python: string;
}

/** What asks for packages; undefined when nothing does. */
async function requirementsOf(source: string, signal: AbortSignal): Promise<Asking | undefined> {
  const file = [requirementsFile, projectFile].find((name) => existsSync(join(source, name)));
  if (file === undefined) return undefined;
  const python = findPython(process.env);
  if (python === undefined || !existsSync(python)) throw failure(join(source, file), noPython);
  if (file === requirementsFile) return { file, text: await readRequirements(source, file), python };
  const requirements = await projectRequirements(python, join(source, file), signal);
  return requirements.length === 0 ? undefined : { file, text: `${requirements.join('\n')}\n`, python };
}

async function wheelsIn(source: string): Promise<string[]> {
  const folder = join(source, wheelsFolder);
  if (!existsSync(folder)) return [];
  const names = (await readdir(folder)).sort();
  return Promise.all(names.map(async (name) => `\0${name}\0${(await stat(join(folder, name))).size}`));
}

/** So that no start has to: files of a bundle have no time of their own, and this way none is asked for. */
async function compile(python: string, folder: string, signal: AbortSignal): Promise<void> {
  const how = ['-q', '--invalidation-mode', 'unchecked-hash', '-s', folder, '-p', insideFolder];
  // What cannot be compiled is templates, or for another Python: it is found out when it is imported.
  await runProgram(python, ['-I', '-m', 'compileall', ...how, folder], { cwd: folder, env: oneOrder, signal });
}

const failure = (place: string, why: string): SwiftletError =>
  new SwiftletError('ManifestInvalid', `the dependencies in ${place} could not be installed: ${why}`, { place });

/** With the line of the requirement that pip complains of, where it names one. */
function placeOf(path: string, text: string, said: string): string {
  const name = said.match(/(?:satisfies the requirement|matching distribution found for|Invalid requirement:) '?([\w.-]+)/)?.[1];
  const line = name === undefined ? undefined : lineOf(text, name);
  return line === undefined ? path : `${path}:${line}`;
}

function summary(python: string, said: string): string {
  if (said.includes('No module named pip')) return `${python} has no pip; install it: apt-get install python3-pip`;
  const errors = said.split('\n').flatMap((line) => line.match(/^\s*ERROR: (.*)$/)?.[1] ?? []);
  const why = errors.slice(0, saidLines).join('; ') || said.trim().split('\n').slice(-saidLines).join('; ');
  return said.includes('No matching distribution') ? `${why}. ${wheelsOnly}` : why;
}

const wheelsOnly =
  'Only wheels for this Python are taken; a package that has none is built with a line "--no-binary NAME" in requirements.txt';
