/** Which platform's form a folder's handlers have that the runtime could not see: those that are registered, and not exported. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { HandlerForm } from '../model/function.ts';
import { languageOf, type RuntimeName } from '../model/runtimes.ts';

const framework = '@google-cloud/functions-framework';
const packageSchema = z.object({ dependencies: z.record(z.string(), z.unknown()) });

/**
 * @param folder with the function's package.json, if it has one
 * @param runtime undefined: Node.js
 * @returns undefined: nothing says so
 */
export async function formOfFolder(folder: string, runtime: RuntimeName | undefined): Promise<HandlerForm | undefined> {
  if (runtime !== undefined && languageOf(runtime) !== 'nodejs') return undefined;
  try {
    const { dependencies } = packageSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
    return Object.hasOwn(dependencies, framework) ? 'google-cloud-http' : undefined;
  } catch {
    // What is wrong with it is said by who needs more of it.
    return undefined;
  }
}
