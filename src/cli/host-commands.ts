/** The commands about the platform's other hosts. */
import { type Command, Option } from 'commander';

interface HostFlags {
  readonly out?: string;
  readonly json?: boolean;
}

export function addHostCommands(program: Command): void {
  program
    .command('host')
    .description('other hosts of the platform')
    .command('admit')
    .description('make a certificate with which another host joins: print it, this once')
    .argument('<name>', 'what the host is called')
    .option('--out <file>', 'a new file for it, mode 0600, instead of standard output')
    .addOption(new Option('--json', 'machine-readable output'))
    .action(async (name: string, flags: HostFlags) => (await import('./commands/host.ts')).admit(name, flags));
}
