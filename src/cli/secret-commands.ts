/** The commands about secrets, and about who did what. */
import { type Command, Option } from 'commander';
import type { AuditFlags } from './commands/audit.ts';
import type { RotateFlags } from './commands/secret.ts';
import { numberTo } from './number-option.ts';
import type { ValueSource } from './secret-value.ts';

interface JsonFlag {
  readonly json?: boolean;
}

/** What the API gives at once. */
const maxRecords = 1_000;
const json = () => new Option('--json', 'machine-readable output');

export function addSecretCommands(program: Command): void {
  const secret = program
    .command('secret')
    .description('secrets that functions refer to by name; values come from a file or standard input');
  const withValue = (command: Command): Command =>
    command
      .option('--file <path>', 'the file with the value; without it standard input')
      .option('--exact', 'keep the line’s end at the value’s end')
      .addOption(json());
  withValue(secret.command('set'))
    .description('set a secret')
    .argument('<secret>')
    .action(async (name: string, flags: JsonFlag & ValueSource) => (await import('./commands/secret.ts')).set(name, flags));
  withValue(secret.command('rotate'))
    .description('give a secret a new value, and replace what runs with the old one; or rotate the key that wraps all of them')
    .argument('[secret]')
    .option('--root-key', 'the key that wraps all secrets, instead of a secret')
    .option('--no-wait', 'do not wait until running instances are replaced')
    .action(async (name: string | undefined, flags: RotateFlags) => (await import('./commands/secret.ts')).rotate(name, flags));
  secret
    .command('list')
    .description('list the secrets and what uses them; their values are shown to nobody')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/secret.ts')).list(flags));
  secret
    .command('remove')
    .description('remove a secret that no function uses')
    .argument('<secret>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/secret.ts')).remove(name, flags));
}

export function addAuditCommand(program: Command): void {
  program
    .command('audit')
    .description('show who did what to what, when, from where, and how it ended')
    .option('-f, --follow', 'go on as records come')
    .option('-n, --lines <count>', 'the last so many records', numberTo(1, maxRecords), 100)
    .option('--verify', 'follow the whole chain of hashes instead, and name the first record that was changed')
    .addOption(json())
    .action(async (flags: AuditFlags) => (await import('./commands/audit.ts')).audit(flags));
}
