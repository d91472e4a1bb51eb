/** The commands about layers. */
import { type Command, Option } from 'commander';
import type { PublishFlags } from './commands/layer.ts';

interface JsonFlag {
  readonly json?: boolean;
}

const json = () => new Option('--json', 'machine-readable output');
const gather = (word: string, before: readonly string[]): string[] => [...before, word];

export function addLayerCommands(program: Command): void {
  const layer = program.command('layer').description('files that functions share, below /opt');
  layer
    .command('publish')
    .description('make a version of a layer of a folder, a zip, or packages')
    .argument('<layer>')
    .argument('[files]', 'a folder, or a zip as AWS Lambda takes it')
    .option('--from <package>', 'instead of files: npm:@aws-sdk/client-s3@3, pip:boto3; again for each', gather, [])
    .option('--description <text>', 'what it is')
    .addOption(json())
    .action(async (name: string, files: string | undefined, flags: PublishFlags) =>
      (await import('./commands/layer.ts')).publish(name, files, flags),
    );
  layer
    .command('list')
    .description('list the layers, their versions, and what builds on them')
    .addOption(json())
    .action(async (flags: JsonFlag) => (await import('./commands/layer.ts')).list(flags));
  layer
    .command('remove')
    .description('remove a version that no function builds on')
    .argument('<layer:version>')
    .addOption(json())
    .action(async (reference: string, flags: JsonFlag) => (await import('./commands/layer.ts')).remove(reference, flags));
}
