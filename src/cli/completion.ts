import { buildPlaces } from './build-place.ts';
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import { rolloutStrategies } from '../model/rollout.ts';
import { isolationModes } from '../role/role-config.ts';
import { connectApi } from './connect-api.ts';
import { templateNames } from './templates.ts';

/** Nobody waits longer for a suggestion. */
const namesLimitMs = 500;
const takeFunction: readonly string[] = [
  'alias list',
  'alias remove',
  'alias set',
  'describe',
  'invoke',
  'logs',
  'remove',
  'rollback',
  'rollout abort',
  'rollout start',
  'rollout status',
  'usage',
  'versions',
];

/**
 * Adds `completion <shell>`, which prints the shell's script, and the hidden `complete`, which that script asks.
 * @param asked the arguments of this process: the functions are asked for only when one of them may be meant
 */
export async function addCompletion(program: Command, asked: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const names = [...takeFunction, 'trace'].some((command) => asked.includes(command.split(' ')[0] ?? command))
    ? await functionNames(environment)
    : [];
  const { commands } = tab(program, { completionCommandName: 'completion' });
  const offer = (values: readonly string[]) => (complete: (value: string, description: string) => void) => {
    for (const value of values) complete(value, '');
  };
  for (const command of takeFunction) {
    const argument = commands.get(command)?.arguments.get('function');
    if (argument !== undefined) argument.handler = offer(names);
  }
  for (const name of ['slow', 'function']) {
    const option = commands.get('trace')?.options.get(name);
    if (option !== undefined) option.handler = offer(names);
  }
  const template = commands.get('init')?.options.get('template');
  if (template !== undefined) template.handler = offer(templateNames());
  for (const [command, name] of [
    ['deploy', 'rollout'],
    ['rollout start', 'strategy'],
  ] as const) {
    const option = commands.get(command)?.options.get(name);
    if (option !== undefined) option.handler = offer(rolloutStrategies);
  }
  const build = commands.get('deploy')?.options.get('build');
  if (build !== undefined) build.handler = offer(buildPlaces);
  const isolation = commands.get('up')?.options.get('isolation');
  if (isolation !== undefined) isolation.handler = offer(['auto', ...isolationModes]);
}

/** Without a platform there is nothing to suggest, and a prompt is no place for errors. */
async function functionNames(environment: NodeJS.ProcessEnv): Promise<string[]> {
  try {
    const functions = await connectApi(environment, AbortSignal.timeout(namesLimitMs)).list();
    return functions.map(({ name }) => name);
  } catch {
    return [];
  }
}
