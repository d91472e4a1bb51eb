/** requirements.txt, as far as it matters here: what it says, with the files that it refers to. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const reference = /^\s*(?:-r|-c|--requirement|--constraint)[ =]\s*(\S+)/gm;

/**
 * The text of a file and of all that it refers to, one after the other. What is not there pip complains of.
 * @param seen files that need not be read again
 */
export async function readRequirements(folder: string, name: string, seen = new Set<string>()): Promise<string> {
  const path = join(folder, name);
  if (seen.has(path) || !existsSync(path)) return '';
  seen.add(path);
  let text = await readFile(path, 'utf8');
  for (const [, file = ''] of [...text.matchAll(reference)]) text += `\n${await readRequirements(dirname(path), file, seen)}`;
  return text;
}

/** The number of the line that asks for a package. */
export function lineOf(text: string, name: string): number | undefined {
  const plain = (one: string) => one.toLowerCase().replaceAll(/[-_.]+/g, '-');
  const at = text.split('\n').findIndex((line) => plain(line.match(/^\s*([\w.-]+)/)?.[1] ?? '') === plain(name));
  return at < 0 ? undefined : at + 1;
}
