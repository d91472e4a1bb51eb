/** Files of other tools that say what a folder's functions are. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ForeignText } from './foreign-manifest.ts';
import { samFunction, samText } from './sam-template.ts';
import { serverlessText } from './serverless-file.ts';

const serverlessFiles = ['serverless.yml', 'serverless.yaml'];
const samFiles = ['template.yaml', 'template.yml'];

export interface ForeignWishes {
  /** What `${env:…}` stands for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `${opt:stage}` stands for; undefined: what the file says. */
  readonly stage: string | undefined;
}

/**
 * The first such file of a folder.
 * @returns undefined when it has none
 * @throws SwiftletError ManifestInvalid with the place and the remedy
 */
export async function readForeign(folder: string, wishes: ForeignWishes): Promise<ForeignText | undefined> {
  const serverless = serverlessFiles.find((file) => existsSync(join(folder, file)));
  if (serverless !== undefined) return serverlessText(await readFile(join(folder, serverless), 'utf8'), serverless, wishes);
  for (const file of samFiles.filter((name) => existsSync(join(folder, name)))) {
    const content = await readFile(join(folder, file), 'utf8');
    // Templates of many other things are called so.
    const found = content.includes(samFunction) ? samText(content, file) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
