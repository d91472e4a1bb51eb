/** The `swiftlet` command. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageFolder } from '../role/package-folder.ts';
import { fail } from './output.ts';
import { buildProgram } from './program.ts';

const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')));
process.title = 'swiftlet';
// A reader that has heard enough, such as `head`, is no failure.
process.stdout.on('error', () => process.exit(0));

try {
  const program = buildProgram(version);
  const { default: completion } = await import('@bomb.sh/tab/commander');
  completion(program);
  await program.parseAsync();
} catch (error) {
  fail(error, process.argv.includes('--json'));
}
