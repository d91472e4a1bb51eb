/** The commands and their flags. Each command's own code is loaded when it runs, so that the others start fast. */
import { Command, type CommanderError, Option } from 'commander';
import { suggestion } from '../build/closest.ts';
import type { InvokeFlags } from './commands/invoke.ts';
import type { LogsFlags } from './commands/logs.ts';
import type { UpFlags } from './commands/up.ts';
import { exitCode } from './exit-codes.ts';

interface JsonFlag {
  readonly json?: boolean;
}

const json = () => new Option('--json', 'machine-readable output');

/** @param version what `--version` says */
export function buildProgram(version: string): Command {
  const program = new Command('swiftlet')
    .description('A self-hosted function platform: milliseconds to start, every function in a sandbox of its own')
    .version(version)
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nExit codes: 0 done · 1 failed · 2 wrong input · 3 not found · 4 Swiftlet does not answer\nEnvironment: SWIFTLET_HOME, SWIFTLET_GATEWAY_PORT, SWIFTLET_API_PORT, SWIFTLET_API_URL, SWIFTLET_TOKEN',
    );
  program
    .command('up')
    .description('start the platform on this machine and keep it running')
    .option('--isolation <mode>', 'auto, bubblewrap, or process (no protection, development only)')
    .option('--gateway-port <port>', 'where functions are served (8080)')
    .option('--api-port <port>', 'where the API is served (8081)')
    .option('--host <address>', 'the address to listen on (127.0.0.1)')
    .option('--pool-size <count>', 'warm sandboxes kept per pool (8)')
    .option('--grace <ms>', 'how long requests in flight may go on at the end (2000)')
    .option('--deploy-examples', 'publish the examples')
    .addOption(json())
    .action(async (flags: UpFlags) => (await import('./commands/up.ts')).up(flags));
  program
    .command('init')
    .description('make a folder with a function')
    .argument('<folder>')
    .option('--template <name>', 'hello, api, markdown or thumbnail', 'hello')
    .addOption(json())
    .action(async (folder: string, flags: { template?: string; json?: boolean }) =>
      (await import('./commands/init.ts')).init(folder, flags),
    );
  program
    .command('deploy')
    .description('build and publish a folder’s functions')
    .argument('[folder]', 'the folder', '.')
    .addOption(json())
    .action(async (folder: string, flags: JsonFlag) => (await import('./commands/deploy.ts')).deploy(folder, flags));
  program
    .command('invoke')
    .description('send an event to a function and print its answer')
    .argument('<function>')
    .option('-d, --data <json>', 'the event: JSON, @file, or - for standard input', '{}')
    .option('-v, --verbose', 'request id and timing, on standard error')
    .option('--async', 'do not wait for the answer (not yet available)')
    .addOption(json())
    .action(async (name: string, flags: InvokeFlags) => (await import('./commands/invoke.ts')).invoke(name, flags));
  program
    .command('logs')
    .description('print a function’s log')
    .argument('<function>')
    .option('-f, --follow', 'go on as it grows')
    .option('-n, --lines <count>', 'the last so many lines', '100')
    .addOption(json())
    .action(async (name: string, flags: LogsFlags) => (await import('./commands/logs.ts')).logs(name, flags));
  program
    .command('list')
    .description('list the functions')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/list.ts')).list(flags));
  program
    .command('describe')
    .description('show a function’s configuration and its instances')
    .argument('<function>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/describe.ts')).describe(name, flags));
  program
    .command('versions')
    .description('list a function’s versions')
    .argument('<function>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/versions.ts')).versions(name, flags));
  program
    .command('remove')
    .description('remove a function, its versions and its log')
    .argument('<function>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/remove.ts')).remove(name, flags));
  program
    .command('doctor')
    .description('show what isolates functions on this machine, and how to get what is missing')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/doctor.ts')).doctor(flags));
  program
    .command('bench')
    .description('measure this machine (in a checkout)')
    .allowUnknownOption()
    .argument('[args...]')
    .action(async (args: string[]) => (await import('./commands/bench.ts')).bench(args));
  for (const command of [program, ...program.commands]) command.exitOverride(leave);
  program.on('command:*', ([word = '']: string[]) =>
    program.error(
      `error: unknown command "${word}"${suggestion(
        word,
        program.commands.map((command) => command.name()),
      )}`,
    ),
  );
  return program;
}

/** What commander finds wrong is wrong input. */
function leave(error: CommanderError): never {
  process.exit(error.exitCode === 0 ? exitCode.ok : exitCode.usage);
}
