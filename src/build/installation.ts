/** What installing dependencies on the platform goes by, and makes, by what a function is written in. Pure. */
import { dirname, normalize } from 'node:path/posix';
import type { BuildRuntimeName } from '../model/runtimes.ts';

export interface Installation {
  /** The program that installs. */
  readonly program: 'npm' | 'pip';
  /** The folder of the bundle that it makes. What the source has of that name stays out. */
  readonly makes: 'node_modules' | 'site-packages';
  /** Whether a file of the source may decide what is installed. */
  mayDecide(path: string): boolean;
  /** Those of them that do. @param files by path, with their contents @returns their paths; none: it asks for nothing that could be installed */
  inputs(files: ReadonlyMap<string, Buffer>): readonly string[];
  /** What is there for the installation only, and no part of the function. */
  isOnlyForIt(path: string): boolean;
  /** What has to be there, in words. */
  readonly needs: string;
}

const npmInputs: readonly string[] = ['package.json', 'package-lock.json'];

const npm: Installation = {
  program: 'npm',
  makes: 'node_modules',
  mayDecide: (path) => npmInputs.includes(path),
  inputs: (files) => (npmInputs.every((name) => files.has(name)) ? npmInputs : []),
  isOnlyForIt: () => false,
  needs: 'package.json and package-lock.json at its top',
};

export const requirementsFile = 'requirements.txt';
export const projectFile = 'pyproject.toml';
/** Wheels beside the code: then nothing is taken from anywhere else. */
export const wheelsFolder = 'wheels';
const isWheel = (path: string): boolean => path.startsWith(`${wheelsFolder}/`);

const pip: Installation = {
  program: 'pip',
  makes: 'site-packages',
  mayDecide: (path) => path === projectFile || isWheel(path) || (/\.(?:txt|in)$/.test(path) && !path.startsWith('site-packages/')),
  inputs(files) {
    const first = [requirementsFile, projectFile].find((name) => files.has(name));
    if (first === undefined) return [];
    const asking = first === projectFile ? [projectFile] : referredTo(files, first);
    return [...asking, ...[...files.keys()].filter(isWheel).sort()];
  },
  isOnlyForIt: isWheel,
  needs: 'requirements.txt or pyproject.toml at its top',
};

/** What a line of a requirements.txt refers to: more requirements, or constraints. */
const reference = /^\s*(?:-r|-c|--requirement|--constraint)[ =]\s*(\S+)/gm;

/** A file of requirements, and all that it refers to, as far as it is there. */
function referredTo(files: ReadonlyMap<string, Buffer>, first: string): string[] {
  const found = new Set([first]);
  for (const path of found) {
    for (const [, name = ''] of (files.get(path)?.toString() ?? '').matchAll(reference)) {
      const other = normalize(`${dirname(path)}/${name}`);
      if (files.has(other)) found.add(other);
    }
  }
  return [...found].sort();
}

export const installationOf = (runtime: BuildRuntimeName): Installation => (runtime === 'python3' ? pip : npm);
