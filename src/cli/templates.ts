import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../role/package-folder.ts';

const examples = join(packageFolder, 'examples');

/** The examples, each a folder that can be deployed. */
export const templateNames = (): string[] =>
  readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const ofTheHost: readonly string[] = ['java', 'python'];

/** Those that need nothing of the host, and no pool of sandboxes that nobody has asked for. */
export const exampleNames = (): string[] => templateNames().filter((name) => !ofTheHost.includes(name));

export const templateFolder = (name: string): string => join(examples, name);
