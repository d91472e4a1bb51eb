import { cpSync, existsSync, readdirSync, statSync } from 'node:fs';
import { relative, resolve, sep } from 'node:path';
import { suggestion } from '../../build/closest.ts';
import { SwiftletError } from '../../model/errors.ts';
import { openOutput } from '../output.ts';
import { templateFolder, templateNames } from '../templates.ts';

export interface InitFlags {
  readonly template: string;
  readonly json?: boolean;
}

/** Copies a template to a new or an empty folder. @throws SwiftletError BadRequest rather than touch what is there */
export function init(folder: string, { template, json = false }: InitFlags): void {
  const known = templateNames();
  if (!known.includes(template)) throw new SwiftletError('BadRequest', `unknown template "${template}"${suggestion(template, known)}`);
  const target = resolve(folder);
  if (isTaken(target)) throw new SwiftletError('BadRequest', `${target} is there already and is not empty; name a new folder`);
  const source = templateFolder(template);
  cpSync(source, target, { recursive: true, filter: (path) => !relative(source, path).split(sep).includes('node_modules') });
  openOutput(json).result(
    { folder: target, template },
    () => `Made ${target} from the template "${template}".\nPublish it:  swiftlet deploy ${quoted(folder)}`,
  );
}

function isTaken(path: string): boolean {
  if (!existsSync(path)) return false;
  return !statSync(path).isDirectory() || readdirSync(path).length > 0;
}

const quoted = (path: string): string => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`);
