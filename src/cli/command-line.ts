import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { packageFolder } from '../role/package-folder.ts';
import { exitCode } from './exit-codes.ts';
import { buildProgram } from './program.ts';

const completionWords: readonly (string | undefined)[] = ['complete', 'completion'];

/** Runs one command. What goes wrong is said on standard error, and told by the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  // A reader that has heard enough, such as `head`, is no failure.
  process.stdout.on('error', () => process.exit(exitCode.ok));
  const program = buildProgram(ownVersion());
  try {
    const word = argv[2];
    if (word === undefined) program.help({ error: true });
    if (completionWords.includes(word) || isHelp(word)) {
      await (await import('./completion.ts')).addCompletion(program, argv, process.env);
    }
    await program.parseAsync(argv);
  } catch (error) {
    // Commander throws to leave after help and --version, too.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const { fail, usageError } = await import('./failure.ts');
    fail(error instanceof CommanderError ? usageError(error) : error, argv.includes('--json'));
  }
}

const isHelp = (word: string | undefined): boolean => word === 'help' || word === '--help' || word === '-h';

/** Read without a schema: it is our own, and loading the schemas would triple the time that `--version` takes. */
const ownVersion = (): string => (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }).version;
