import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore from 'ignore';

/** Never of use to a running function; an .npmrc may have a token in it. */
const ignoredByDefault = [
  '.git',
  '.hg',
  '.svn',
  '.DS_Store',
  '.swiftlet',
  '.swiftletignore',
  // What other tools build in the folder.
  '.serverless',
  '.aws-sam',
  'node_modules/.cache',
  '.venv',
  // What was compiled for somebody's own Python; what a deploy compiles is for the platform's.
  '__pycache__',
  '!/site-packages/**/__pycache__',
  '.npmrc',
  '*.log',
  '*.swp',
];

export interface BundleChoice {
  /** Patterns as in a .gitignore; they win over what is excluded. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/**
 * What to leave out of a bundle: the defaults, then the folder's `.swiftletignore`, then the choice given; later ones win.
 * @returns a function of paths relative to the folder, with `/`, that end in `/` for a folder
 */
export async function bundleIgnore(folder: string, choice: BundleChoice = {}): Promise<(path: string) => boolean> {
  const own = await readFile(join(folder, '.swiftletignore'), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
  const rules = ignore()
    .add(ignoredByDefault)
    .add(own)
    .add([...(choice.exclude ?? [])])
    .add((choice.include ?? []).map((pattern) => `!${pattern}`));
  return (path) => rules.ignores(path);
}
