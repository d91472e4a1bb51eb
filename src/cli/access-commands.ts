/** The commands about tenants and tokens, and the flag that says whose things a command is about. */
import { type Command, Option } from 'commander';
import type { CredentialFlags, RotateFlags } from './commands/credentials.ts';
import type { TokenFlags } from './commands/token.ts';
import type { TenantFlags } from './tenant-flags.ts';

interface JsonFlag {
  readonly json?: boolean;
}

const json = () => new Option('--json', 'machine-readable output');
const platform = () => new Option('--platform', 'of the whole platform instead of a tenant');
const gather = (word: string, before: readonly string[]): string[] => [...before, word];

export function addTenantCommands(program: Command): void {
  const tenant = program.command('tenant').description('those who share the platform, each with functions, tokens and quotas of its own');
  for (const [what, does] of [
    ['create', 'make a tenant'],
    ['set', 'change a tenant; what is not named stays as it is'],
  ] as const) {
    tenant
      .command(what)
      .description(does)
      .argument('<name>')
      .option(
        '--quota <name=value>',
        'functions, concurrency, memoryMiB, gbSecondsPerDay, storageMiB, requestsPerSecond or asyncBacklog; again for each; none: no limit',
        gather,
        [],
      )
      .option('--cpu-weight <weight>', 'its share where processors are short (100)')
      .option('--urls <rule>', 'who may call functions that do not say it: public, or token (default)')
      .option('--host <pattern>', 'that its routes may name, such as *.acme.example.com; again for each; none: no host', gather, [])
      .option('--network <policy>', 'of functions that are deployed without one: none, internet (default), or lists as JSON')
      .addOption(json())
      .action(async (name: string, flags: TenantFlags & JsonFlag) => (await import('./commands/tenant.ts'))[what](name, flags));
  }
  tenant
    .command('list')
    .description('list the tenants that the token is for')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/tenant.ts')).list(flags));
  for (const [what, does] of [
    ['describe', 'show a tenant, its quotas and what it has of them'],
    ['remove', 'remove a tenant without functions, and its tokens'],
  ] as const) {
    tenant
      .command(what)
      .description(does)
      .argument('<name>')
      .addOption(json())
      .action(async (name: string, flags: JsonFlag) => (await import('./commands/tenant.ts'))[what](name, flags));
  }
}

export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('who may do what');
  token
    .command('create')
    .description('make a token and print it, this once')
    .argument('<name>', 'what it is for')
    .requiredOption('--role <role>', 'admin, operator, developer, invoker or viewer')
    .option('--function <name>', 'only for this function; again for each', gather, [])
    .option('--expires <time>', 'from now: 30d, 12h, 90m; else never')
    .addOption(platform())
    .addOption(json())
    .action(async (name: string, flags: TokenFlags) => (await import('./commands/token.ts')).create(name, flags));
  token
    .command('list')
    .description('list the tokens: what they are for, and until when')
    .addOption(platform())
    .addOption(json())
    .action(async (flags: JsonFlag & { readonly platform?: boolean }) => (await import('./commands/token.ts')).list(flags));
  token
    .command('revoke')
    .description('make a token worth nothing, at once')
    .argument('<id>', 'as the list has it')
    .addOption(platform())
    .addOption(json())
    .action(async (id: string, flags: JsonFlag & { readonly platform?: boolean }) =>
      (await import('./commands/token.ts')).revoke(id, flags),
    );
}

export function addCredentialCommands(program: Command): void {
  const credentials = program.command('credentials').description('access keys: tokens that tools for AWS can sign with');
  const profile = () => new Option('--profile <name>', 'the profile that it is printed as').default('swiftlet');
  credentials
    .command('create')
    .description('make an access key and print it, this once, as a credentials file of AWS')
    .argument('<name>', 'what it is for')
    .requiredOption('--role <role>', 'admin, operator, developer, invoker or viewer')
    .option('--function <name>', 'only for this function; again for each', gather, [])
    .option('--expires <time>', 'from now: 30d, 12h, 90m; else never')
    .addOption(profile())
    .addOption(platform())
    .addOption(json())
    .action(async (name: string, flags: CredentialFlags) => (await import('./commands/credentials.ts')).create(name, flags));
  credentials
    .command('rotate')
    .description('make another key in the place of one, and print it')
    .argument('<id>', 'of the key, or of its token')
    .option('--keep <time>', 'how long the one before goes on to count: 7d, 1h, 10m; else it ends at once')
    .addOption(profile())
    .addOption(platform())
    .addOption(json())
    .action(async (id: string, flags: RotateFlags) => (await import('./commands/credentials.ts')).rotate(id, flags));
  credentials
    .command('list')
    .description('list the access keys; "token revoke" makes one worth nothing')
    .addOption(platform())
    .addOption(json())
    .action(async (flags: JsonFlag & { readonly platform?: boolean }) => (await import('./commands/credentials.ts')).list(flags));
}

const notOfTenants: readonly string[] = ['up', 'doctor', 'bench', 'init', 'tenant', 'host'];

/** Lets every command that speaks to the API be told a tenant. It goes where `connectApi` reads it, as the environment's does. */
export function addTenantFlag(program: Command, environment: NodeJS.ProcessEnv): void {
  const add = (command: Command) => {
    if (command.commands.length > 0) for (const one of command.commands) add(one);
    else command.option('--tenant <name>', 'whose functions; else SWIFTLET_TENANT, or the token’s own');
  };
  for (const command of program.commands) if (!notOfTenants.includes(command.name())) add(command);
  program.hook('preAction', (_program, command) => {
    const { tenant } = command.opts<{ readonly tenant?: string }>();
    if (tenant !== undefined) environment['SWIFTLET_TENANT'] = tenant;
  });
}
