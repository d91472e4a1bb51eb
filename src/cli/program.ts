/** The commands and their flags. Each command's own code is loaded when it runs, so that the others start fast. */
import { Command, Option } from 'commander';
import { addCredentialCommands, addTenantCommands, addTenantFlag, addTokenCommands } from './access-commands.ts';
import { addHostCommands } from './host-commands.ts';
import { addAuditCommand, addSecretCommands } from './secret-commands.ts';
import { addLayerCommands } from './layer-commands.ts';
import { addPoolCommands } from './pool-commands.ts';
import { addNetworkCommands } from './network-commands.ts';
import type { DeployFlags } from './commands/deploy.ts';
import type { DeadLetterFlags } from './commands/dlq.ts';
import type { InvokeFlags } from './commands/invoke.ts';
import type { LogsFlags } from './commands/logs.ts';
import type { TraceFlags } from './commands/trace.ts';
import type { UpFlags } from './commands/up.ts';
import type { UsageFlags } from './commands/usage.ts';
import { numberTo } from './number-option.ts';
import type { RolloutFlags, StickyFlags } from './rollout-flags.ts';
import { addSimulateCommand } from './simulate-command.ts';

interface JsonFlag {
  readonly json?: boolean;
}

const json = () => new Option('--json', 'machine-readable output');

const notes = `
Exit codes:
  0  done
  1  the function or the platform failed
  2  wrong input
  3  there is no such thing
  4  Swiftlet does not answer

Environment:
  SWIFTLET_HOME      data folder (/var/lib/swiftlet as root, else ~/.local/share/swiftlet)
  SWIFTLET_API_URL   where the platform is (http://127.0.0.1:8081)
  SWIFTLET_TOKEN     the token (read from the data folder)
  SWIFTLET_TENANT    whose functions, as --tenant (the token's own)
  NO_COLOR           no colours`;

const invokeExamples = `
Examples:
  swiftlet invoke hello --data '{"name":"Ada"}'
  swiftlet invoke hello --data @event.json
  echo '{"name":"Ada"}' | swiftlet invoke hello --data - --verbose
  swiftlet event $(swiftlet invoke hello --async)`;

/**
 * Nothing of it ends the process: what is wrong, and also help, is thrown as commander's error.
 * @param version what `--version` says
 */
export function buildProgram(version: string): Command {
  const program = new Command('swiftlet')
    .description('A self-hosted function platform: milliseconds to start, every function in a sandbox of its own')
    .version(version)
    .addHelpText('after', notes)
    .exitOverride()
    // The caller says it, as text or as JSON.
    .configureOutput({ outputError: () => undefined });
  addPlatformCommands(program);
  addPublishingCommands(program);
  addTrafficCommands(program);
  addInspectionCommands(program);
  addAccountCommands(program);
  addSimulateCommand(program);
  addEventCommands(program);
  addSourceCommands(program.command('source').description('where messages for functions come from: queues, topics, streams'));
  addSecretCommands(program);
  addLayerCommands(program);
  addPoolCommands(program);
  addNetworkCommands(program);
  addAuditCommand(program);
  addTenantCommands(program);
  addTokenCommands(program);
  addCredentialCommands(program);
  addHostCommands(program);
  addTenantFlag(program, process.env);
  return program;
}

function addPlatformCommands(program: Command): void {
  program
    .command('up')
    .description('start the platform on this machine and keep it running')
    .option('--isolation <mode>', 'auto, bubblewrap, or process (no protection, development only)')
    .option('--gateway-port <port>', 'where functions are served (8080)')
    .option('--gateways <count>', 'processes that serve functions together, on the same ports (1)')
    .option('--agents <count>', 'processes that run functions together, each with its part of this machine (1)')
    .option('--api-port <port>', 'where the API is served (8081)')
    .option('--lambda-port <port>', "where AWS Lambda's API is served, or off (8082)")
    .option('--host <address>', 'the address to listen on (127.0.0.1)')
    .option('--pool-size <count>', 'warm sandboxes kept per pool (8)')
    .option(
      '--memory-budget <size>',
      'what sandboxes may take of the memory before idle instances give theirs up, such as 8GiB (three quarters)',
    )
    .option('--swap <size>', 'make swap of this size for idle instances, such as 2GiB, zram:2GiB or file:2GiB; needs root (none)')
    .option(
      '--labels <labels>',
      'the groups that this host is a part of, such as cell=a,region=eu; of several agents each one’s: "cell=a; cell=b"',
    )
    .option('--urls <rule>', 'who may call functions that do not say it: public (on 127.0.0.1), or token (on any other address)')
    .option('--issuers <file>', 'who else says who somebody is (OpenID Connect), and what role that is worth')
    .option('--event-log <place>', 'where events are stored: sqlite, or nats://user:password@host:4222 (sqlite)')
    .option('--grace <ms>', 'how long requests in flight may go on at the end (2000)')
    .option('--network-mode <mode>', 'how functions get out: host (needs root), or user, by pasta (host)')
    .option('--egress-allow <ranges>', 'closed ranges of addresses that functions may reach, as 10.1.0.0/16,fd00::/8')
    .option('--deploy-examples', 'publish the examples')
    .addOption(json())
    .action(async (flags: UpFlags) => (await import('./commands/up.ts')).up(flags));
  program
    .command('doctor')
    .description(
      'show what isolates functions on this machine, how to get what is missing, and which guards of a running platform are in force',
    )
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/doctor.ts')).doctor(flags));
  program
    .command('bench')
    .description('measure this machine (in a checkout)')
    .allowUnknownOption()
    .argument('[args...]')
    .action(async (args: string[]) => (await import('./commands/bench.ts')).bench(args));
}

function addPublishingCommands(program: Command): void {
  program
    .command('init')
    .description('make a folder with a function')
    .argument('[folder]', 'a new or an empty folder', '.')
    .option('--template <name>', 'hello, api, java, markdown, python or thumbnail', 'hello')
    .addOption(json())
    .action(async (folder: string, flags: JsonFlag & { readonly template: string }) => {
      (await import('./commands/init.ts')).init(folder, flags);
    });
  program
    .command('deploy')
    .description('build and publish a folder’s functions')
    .argument('[folder]', 'the folder', '.')
    .option('--build <place>', 'where dependencies are installed: platform (default where it can), in a sandbox; or local')
    .option('--stage <name>', 'which stage a serverless.yml is read for, instead of what it says')
    .option('--rollout <strategy>', 'how the new version takes over, instead of what the manifest says: all-at-once, canary or blue-green')
    .option(...stepsOption)
    .option(...keepOption)
    .addOption(json())
    .action(async (folder: string, flags: DeployFlags) => (await import('./commands/deploy.ts')).deploy(folder, flags));
  program
    .command('remove')
    .description('remove a function, its versions and its log')
    .argument('<function>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/remove.ts')).remove(name, flags));
}

const stepsOption = ['--steps <steps>', 'of a canary: weight:time, such as 5:1m,25:5m'] as const;
const keepOption = ['--keep <time>', 'of blue-green: how long the version before is kept warm'] as const;

const withSticky = (command: Command): Command =>
  command
    .option('--sticky-header <name>', 'callers with the same value of this header get the same version')
    .option('--sticky-cookie <name>', 'the same with a cookie');

function addTrafficCommands(program: Command): void {
  program
    .command('routes')
    .description('list which requests go to which function, beside those for its own address')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/routes.ts')).routes(flags));
  addAliasCommands(program.command('alias').description('names of a function that point to its versions'));
  addRolloutCommands(program.command('rollout').description('how a version takes over from the one before'));
  program
    .command('rollback')
    .description('go back to the version before, or to another one, at once')
    .argument('<function>')
    .argument('[version]')
    .addOption(json())
    .action(async (name: string, version: string | undefined, flags: JsonFlag) =>
      (await import('./commands/rollout.ts')).rollback(name, version, flags),
    );
}

function addAliasCommands(alias: Command): void {
  alias
    .command('list')
    .description('list a function’s aliases')
    .argument('<function>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/alias.ts')).list(name, flags));
  withSticky(alias.command('set'))
    .description('point an alias to a version, or to several: 3=95 4=5')
    .argument('<function>')
    .argument('<alias>')
    .argument('<versions...>')
    .addOption(json())
    .action(async (name: string, which: string, versions: string[], flags: JsonFlag & StickyFlags) =>
      (await import('./commands/alias.ts')).set(name, which, versions, flags),
    );
  alias
    .command('remove')
    .description('remove an alias; its versions stay')
    .argument('<function>')
    .argument('<alias>')
    .addOption(json())
    .action(async (name: string, which: string, flags: JsonFlag) => (await import('./commands/alias.ts')).remove(name, which, flags));
}

function addRolloutCommands(rollout: Command): void {
  withSticky(rollout.command('start'))
    .description('let a version take over')
    .argument('<function>')
    .argument('<version>')
    .option('--strategy <name>', 'all-at-once, canary or blue-green; else as the version’s manifest said')
    .option(...stepsOption)
    .option(...keepOption)
    .addOption(json())
    .action(async (name: string, version: string, flags: JsonFlag & RolloutFlags) =>
      (await import('./commands/rollout.ts')).start(name, version, flags),
    );
  for (const [what, does] of [
    ['status', 'show the last rollout, how far it is and why it ended'],
    ['abort', 'end it: all requests go to the version before'],
  ] as const) {
    rollout
      .command(what)
      .description(does)
      .argument('<function>')
      .addOption(json())
      .action(async (name: string, flags: JsonFlag) => (await import('./commands/rollout.ts'))[what](name, flags));
  }
}

function addInspectionCommands(program: Command): void {
  program
    .command('invoke')
    .description('send an event to a function and print its answer')
    .argument('<function>')
    .option('-d, --data <json>', 'the event: JSON, @file, or - for standard input', '{}')
    .option('-v, --verbose', 'request id, version and timing, on standard error')
    .option('--async', 'do not wait for the answer: the event is stored, and its id printed')
    .option('--order-key <key>', 'with --async: events with the same key are delivered one after the other')
    .option('--idempotency-key <key>', 'with --async: the same key again is the same event')
    .addOption(json())
    .addHelpText('after', invokeExamples)
    .action(async (name: string, flags: InvokeFlags) => (await import('./commands/invoke.ts')).invoke(name, flags));
  program
    .command('logs')
    .description('print a function’s log')
    .argument('<function>')
    .option('-f, --follow', 'go on as it grows')
    .option('-n, --lines <count>', 'the last so many lines', numberTo(0, maxLines), 100)
    .addOption(json())
    .action(async (name: string, flags: LogsFlags) => (await import('./commands/logs.ts')).logs(name, flags));
  program
    .command('list')
    .description('list the functions')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/list.ts')).list(flags));
  program
    .command('describe')
    .description('show a function’s configuration, its instances and its starts')
    .argument('<function>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/describe.ts')).describe(name, flags));
  program
    .command('versions')
    .description('list a function’s versions')
    .argument('<function>')
    .addOption(json())
    .action(async (name: string, flags: JsonFlag) => (await import('./commands/versions.ts')).versions(name, flags));
}

function addAccountCommands(program: Command): void {
  program
    .command('trace')
    .description('show where a request’s time went, step by step')
    .argument('[request]', 'its id, as the header x-swiftlet-request-id said it')
    .option('--function <name>', 'whose request it was: the search is shorter then')
    .option('--slow <function>', 'list the slowest requests of this function instead')
    .option('-n, --lines <count>', 'of the slowest so many', numberTo(1, maxSlowest), 20)
    .addOption(json())
    .action(async (request: string | undefined, flags: TraceFlags) => (await import('./commands/trace.ts')).trace(request, flags));
  program
    .command('usage')
    .description('show what functions used: invocations, GB-seconds, billed and platform time by function and day')
    .argument('[function]')
    .option('--days <count>', 'the last so many days', numberTo(1, maxDays), 30)
    .addOption(json())
    .action(async (name: string | undefined, flags: UsageFlags) => (await import('./commands/usage.ts')).usage(name, flags));
}

function addEventCommands(program: Command): void {
  program
    .command('event')
    .description('show what became of an event that nobody waited for')
    .argument('<id>', 'as "invoke --async" and the 202 have it')
    .addOption(json())
    .action(async (id: string, flags: JsonFlag) => (await import('./commands/event.ts')).event(id, flags));
  const dlq = program.command('dlq').description('dead letters: events that no attempt could deal with');
  const ofFunction = () => new Option('--function <name>', 'only those of this function');
  dlq
    .command('list')
    .description('list them, oldest first')
    .addOption(ofFunction())
    .option('-n, --lines <count>', 'so many at most', numberTo(1, 1000), 100)
    .addOption(json())
    .action(async (flags: DeadLetterFlags & { readonly lines: number }) => (await import('./commands/dlq.ts')).list(flags));
  dlq
    .command('show')
    .description('show one with what was sent')
    .argument('<id>')
    .addOption(json())
    .action(async (id: string, flags: JsonFlag) => (await import('./commands/dlq.ts')).show(id, flags));
  for (const [what, does] of [
    ['redrive', 'deliver them anew, as if they had been sent now'],
    ['purge', 'remove them for ever'],
  ] as const) {
    dlq
      .command(what)
      .description(does)
      .argument('[ids...]')
      .addOption(ofFunction())
      .option('--all', 'all there are')
      .addOption(json())
      .action(async (ids: string[], flags: DeadLetterFlags) => (await import('./commands/dlq.ts')).change(what, ids, flags));
  }
}

function addSourceCommands(source: Command): void {
  source
    .command('list')
    .description('list them with their state and lag')
    .argument('[function]')
    .addOption(json())
    .action(async (name: string | undefined, flags: JsonFlag) => (await import('./commands/source.ts')).list(name, flags));
  source
    .command('describe')
    .description('show one: its state, what stands in its way, its settings')
    .argument('<function>')
    .argument('<source>')
    .addOption(json())
    .action(async (name: string, which: string, flags: JsonFlag) => (await import('./commands/source.ts')).describe(name, which, flags));
  for (const [what, does] of [
    ['pause', 'take nothing more from it until it is resumed'],
    ['resume', 'go on where it was'],
  ] as const) {
    source
      .command(what)
      .description(does)
      .argument('<function>')
      .argument('<source>')
      .addOption(json())
      .action(async (name: string, which: string, flags: JsonFlag) =>
        (await import('./commands/source.ts')).change(what, name, which, flags),
      );
  }
}

/** What the API gives at once. */
const maxLines = 10_000;
const maxSlowest = 1_000;
/** For so long usage is kept. */
const maxDays = 400;
