/** The runtime that starts programs: ours, on a Node.js of its own beside the program. */
import { join } from 'node:path';
import { defaultRuntime, programRuntimeNames, type RuntimeName } from '../../model/runtimes.ts';
import { packageFolder } from '../../role/package-folder.ts';
import { bundleRuntime } from './bundle-runtime.ts';
import { type InstalledRuntime, makeReadable, type Runtimes } from './installed-runtime.ts';

/** Where it lies. @param folder of the agent's own */
export const programFolder = (folder: string): string => join(folder, 'program');

/**
 * @param folder of the agent's own, which exists
 * @param node the release lines of Node.js that are installed
 */
export async function preparePrograms(folder: string, node: Runtimes): Promise<[RuntimeName, InstalledRuntime][]> {
  const interpreter = node.get(defaultRuntime);
  if (interpreter === undefined) return [];
  const code = programFolder(folder);
  await bundleRuntime(join(packageFolder, 'runtimes', 'program'), code);
  makeReadable(code);
  return programRuntimeNames.map((name) => [name, { ...interpreter, language: 'program', folder: code }]);
}
