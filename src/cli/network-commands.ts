/** The commands about private networks, and the program that is a network’s proxy. */
import { type Command, Option } from 'commander';
import type { CreateFlags } from './commands/network.ts';
import type { ProxyFlags } from './commands/proxy.ts';
import { numberTo } from './number-option.ts';

interface JsonFlag {
  readonly json?: boolean;
}

const json = () => new Option('--json', 'machine-readable output');
const gather = (word: string, before: readonly string[]): string[] => [...before, word];
const largestTunnel = 2 ** 24 - 1;
const mostConnections = 1_000_000;

export function addNetworkCommands(program: Command): void {
  const network = program.command('network').description('private networks, which functions reach through a pair of proxies');
  network
    .command('create')
    .description('make a private network, and say how its proxies are started')
    .argument('<network>')
    .option('--range <cidr>', 'addresses in it, such as 10.20.0.0/16; again for each', gather, [])
    .option('--proxy <address>', 'the host of a proxy; twice: the first is used while both answer', gather, [])
    .addOption(json())
    .action(async (name: string, flags: CreateFlags) => (await import('./commands/network.ts')).create(name, flags));
  network
    .command('list')
    .description('list the private networks and what names them')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/network.ts')).list(flags));
  for (const [what, does] of [
    ['describe', 'show a private network, how its proxies are, and what to do about what is wrong'],
    ['remove', 'remove a private network that no function names'],
  ] as const) {
    network
      .command(what)
      .description(does)
      .argument('<network>')
      .addOption(json())
      .action(async (name: string, flags: JsonFlag) => (await import('./commands/network.ts'))[what](name, flags));
  }
  program
    .command('proxy')
    .description('be a proxy of a private network on this host, until stopped; `swiftlet network describe` says with what')
    .requiredOption('--tunnel <id>', 'the tunnel that it ends', numberTo(2, largestTunnel))
    .requiredOption('--platform <address>', 'the platform’s host, as this one reaches it')
    .option('--connections <count>', 'open at once, at most', numberTo(1, mostConnections), 4_096)
    .addOption(json())
    .action(async (flags: ProxyFlags) => (await import('./commands/proxy.ts')).proxy(flags));
}
