/** The commands about custom pools. */
import { type Command, Option } from 'commander';
import type { CreateFlags } from './commands/pool.ts';

interface JsonFlag {
  readonly json?: boolean;
}

const json = () => new Option('--json', 'machine-readable output');
const gather = (word: string, before: readonly string[]): string[] => [...before, word];

export function addPoolCommands(program: Command): void {
  const pool = program.command('pool').description('warm sandboxes that have imported what functions are going to import');
  pool
    .command('create')
    .description('make a pool, of layers that there are, or of a folder, a zip or packages, which become a layer of its name')
    .argument('<pool>')
    .argument('[files]', 'a folder laid out as a layer, or a zip')
    .option('--from <package>', 'instead of files: npm:@aws-sdk/client-s3@3, pip:boto3; again for each', gather, [])
    .option('--layer <name:version>', 'a layer that there is; again for each', gather, [])
    .option('--preload <module>', 'what is imported, as code names it; again for each; default: the packages of --from', gather, [])
    .option('--runtime <runtime>', 'what its functions run on; default nodejs26')
    .option('--memory <size>', 'what its functions have, such as 256 or 1 GiB; default 128')
    .option('--min <count>', 'warm sandboxes at least; default 1')
    .option('--max <count>', 'warm sandboxes at most, after a burst; default 8')
    .addOption(json())
    .action(async (name: string, files: string | undefined, flags: CreateFlags) =>
      (await import('./commands/pool.ts')).create(name, files, flags),
    );
  pool
    .command('list')
    .description('list the pools, and what uses them')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/pool.ts')).list(flags));
  pool
    .command('describe')
    .description('show a pool, its warm sandboxes, and what could not be imported')
    .argument('<pool>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/pool.ts')).describe(name, flags));
  pool
    .command('delete')
    .description('delete a pool that no function uses')
    .argument('<pool>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/pool.ts')).remove(name, flags));
}
