/** Tools that functions of other languages are built with. Not every user's machine has them; where nothing may skip, their tests fail for want of them. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { packageFolder } from '../../src/role/package-folder.ts';

const packages = (
  JSON.parse(readFileSync(join(packageFolder, 'scripts', 'system-packages.json'), 'utf8')) as { test: Record<string, string> }
).test;

/**
 * `skip` of tests that need commands of the machine.
 * @param commands by their names in scripts/system-packages.json
 * @returns what is missing, and how it is installed; false when nothing is, and in CI
 */
export function missingTools(commands: readonly string[], { PATH: path = '', CI: isCi }: NodeJS.ProcessEnv = process.env): string | false {
  const folders = path.split(delimiter);
  const isThere = (command: string) =>
    isAbsolute(command) ? existsSync(command) : folders.some((folder) => existsSync(join(folder, command)));
  const missing = commands.filter((command) => !isThere(command));
  if (missing.length === 0 || isCi === 'true') return false;
  const named = missing.map((command) => packages[command] ?? command);
  return `${missing.join(', ')} missing; run "apt-get install ${named.join(' ')}"`;
}

/** What functions in Java are made with, and run on. */
export const javaTools = ['java', 'javac', 'mvn'] as const;
