import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { suggestion } from '../../build/closest.ts';
import { SwiftletError } from '../../model/errors.ts';
import { packageFolder } from '../../role/package-folder.ts';
import { openOutput } from '../output.ts';

const examples = join(packageFolder, 'examples');

export function init(folder: string, { template = 'hello', json = false }: { template?: string; json?: boolean }): void {
  const known = readdirSync(examples).sort();
  if (!known.includes(template)) throw new SwiftletError('BadRequest', `unknown template "${template}"${suggestion(template, known)}`);
  const target = resolve(folder);
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new SwiftletError('Conflict', `${target} is not empty; name a new folder`);
  const source = join(examples, template);
  cpSync(source, target, { recursive: true, filter: (path) => !relative(source, path).split(sep).includes('node_modules') });
  openOutput(json).result(
    { folder: target, template },
    () => `Made ${target} from the template "${template}".\nPublish it:  swiftlet deploy ${folder}`,
  );
}
