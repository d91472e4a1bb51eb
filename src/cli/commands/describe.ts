import { SwiftletError } from '../../model/errors.ts';
import { colours } from '../colours.ts';
import { connectApi } from '../api-client.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';
import { startsTable } from '../starts-table.ts';
import { table } from '../table.ts';

export async function describe(name: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const described = await output.progress('asking', knownFunction(api, name, api.describe(name)));
  // Without the relay all else is still worth telling.
  const starts = await output.progress('asking', api.starts(name).catch(ifAway));
  output.result({ ...described, starts: starts ?? null }, () => {
    const { serving, instances, instancesKnown } = described;
    const { environment, async: later, rollout, ...config } = serving.config;
    const facts = [
      ['function', colours.bold(described.name)],
      ['version', `${serving.number}, published ${serving.createdAt}`],
      ['code', `${serving.digest.slice(0, 12)}, ${Math.ceil(serving.size / 1024)} KiB`],
      ...Object.entries(config).map(([key, value]) => [key, String(value)]),
      ...Object.entries(later).map(([key, value]) => [`async.${key}`, String(value)]),
      ['rollout', rollout.strategy],
      ['environment', Object.keys(environment).join(', ') || 'none'],
    ];
    const running = instances.map((instance) => [
      instance.instanceId,
      String(instance.version),
      instance.state,
      `${Math.round(instance.memoryBytes / 1024 / 1024)} MiB`,
      instance.startedAt,
    ]);
    const shown =
      running.length > 0 ? table(['INSTANCE', 'VERSION', 'STATE', 'MEMORY', 'STARTED'], running) : withoutInstances(instancesKnown);
    return `${table(['', ''], facts)}\n\n${shown}\n\n${starts === undefined ? startsUnknown : startsTable(starts)}`;
  });
}

const startsUnknown = 'How its starts went is not known: the relay is away.';

function ifAway(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'Unavailable')) throw error;
}

const withoutInstances = (known: boolean): string =>
  known ? 'No instances: the next request starts one.' : 'Which instances run is not known: the agent is away.';
