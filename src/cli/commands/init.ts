import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import { suggestion } from '../../build/closest.ts';
import { SwiftletError } from '../../model/errors.ts';
import { nameSchema } from '../../model/names.ts';
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
  nameAfterFolder(target, template);
  openOutput(json).result(
    { folder: target, template },
    () => `Made ${target} from the template "${template}".\nPublish it:  swiftlet deploy ${quoted(folder)}`,
  );
}

/** A template of one function is what the folder is called, as one without a manifest; what several are called is what they are about. */
function nameAfterFolder(folder: string, template: string): void {
  const file = join(folder, 'swiftlet.yaml');
  const name = basename(folder);
  if (!existsSync(file) || !nameSchema.safeParse(name).success) return;
  const manifest = parseDocument(readFileSync(file, 'utf8'));
  const functions = manifest.get('functions');
  const [only, another] = isMap(functions) ? functions.items : [];
  if (only === undefined || another !== undefined || !isScalar(only.key) || only.key.value !== template) return;
  only.key.value = name;
  writeFileSync(file, manifest.toString({ lineWidth: 0 }));
}

function isTaken(path: string): boolean {
  if (!existsSync(path)) return false;
  return !statSync(path).isDirectory() || readdirSync(path).length > 0;
}

const quoted = (path: string): string => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`);
