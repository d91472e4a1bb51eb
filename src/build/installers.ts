import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Language } from '../model/runtimes.ts';
import type { Installer } from './installer.ts';
import { lockfile, npmInstaller } from './npm-installer.ts';
import { pipInstaller } from './pip-installer.ts';

/** By what a function is written in; of a program by what its folder has. */
export function installerFor(language: Language, source: string): Installer {
  const isPython = language === 'python' || (language === 'program' && !existsSync(join(source, lockfile)));
  return isPython ? pipInstaller : npmInstaller;
}
