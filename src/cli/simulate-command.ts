import { type Command, Option } from 'commander';
import type { SimulateFlags } from './commands/simulate.ts';
import { numberTo } from './number-option.ts';

const simulateExamples = `
Examples:
  swiftlet simulate invocations.csv --durations durations.csv --memory memory.csv
  swiftlet simulate requests.csv --policy default --policy idle=10m,scale=off --svg instances.svg`;

export function addSimulateCommand(program: Command): void {
  program
    .command('simulate')
    .description('replay a traffic file against the platform’s own decisions, and compare policies')
    .argument('<file>', 'requests of each minute (as the Azure Functions trace of 2019), or "seconds,durationMs,function"')
    .option('--durations <file>', 'of the Azure trace: how long requests take')
    .option('--memory <file>', 'of the Azure trace: how much memory functions have')
    .option('--policy <settings>', 'default, or like idle=10m,scale=off; again for another one', withOthers)
    .option('--concurrency <count>', 'requests that one instance takes at once', numberTo(1, 1_000_000), 1)
    .option('--duration <time>', 'how long a request takes of which no file says it', '100ms')
    .option('--start-time <time>', 'how long a start takes; else as it was measured on this host')
    .addOption(new Option('--spread <how>', 'where in their minute requests come').choices(['random', 'even', 'start']).default('random'))
    .option('--seed <text>', 'the same seed gives the same outcome', '1')
    .option('--svg <file>', 'write the picture there, too')
    .option('--json', 'machine-readable output')
    .addHelpText('after', simulateExamples)
    .action(async (path: string, flags: SimulateFlags) => (await import('./commands/simulate.ts')).simulate(path, flags));
}

/** Of an option that may be given again and again. */
const withOthers = (one: string, others: readonly string[] | undefined): string[] => [...(others ?? []), one];
