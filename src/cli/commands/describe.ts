import type { Destination, Destinations } from '../../model/destination.ts';
import { SwiftletError } from '../../model/errors.ts';
import { colours } from '../colours.ts';
import type { TimersView } from '../../wire/timer-calls.ts';
import { type ApiClient, connectApi, type Described } from '../api-client.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { startsTable } from '../starts-table.ts';
import { table } from '../table.ts';
import { timersTable } from '../timers-table.ts';

export async function describe(name: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const described = await output.progress('asking', knownFunction(api, name, api.describe(name)));
  // Without the relay all else is still worth telling.
  const starts = await output.progress('asking', api.starts(name).catch(ifAway));
  const runs = await timersOf(described, api);
  output.result({ ...described, starts: starts ?? null, timers: runs ?? null }, () => {
    const { serving, instances, instancesKnown, provisioned } = described;
    const { environment, async: later, timers, destinations, rollout, ...config } = serving.config;
    const facts = [
      ['function', colours.bold(described.name)],
      ['version', `${serving.number}, published ${serving.createdAt}`],
      ['code', `${serving.digest.slice(0, 12)}, ${Math.ceil(serving.size / 1024)} KiB`],
      ...Object.entries(config).map(([key, value]) => [key, String(value)]),
      ...Object.entries(later).map(([key, value]) => [`async.${key}`, String(value)]),
      ...destinationFacts(destinations),
      ['rollout', rollout.strategy],
      ...(provisioned === undefined ? [] : [['provisioned', provisionedText(provisioned)]]),
      ['environment', Object.keys(environment).join(', ') || 'none'],
    ];
    const running = instances.map((instance) => [
      instance.instanceId,
      String(instance.version),
      instance.provisioned ? `${instance.state}, provisioned` : instance.state,
      `${Math.round(instance.memoryBytes / 1024 / 1024)} MiB`,
      instance.startedAt,
    ]);
    const shown =
      running.length > 0 ? table(['INSTANCE', 'VERSION', 'STATE', 'MEMORY', 'STARTED'], running) : withoutInstances(instancesKnown);
    const clock = Object.keys(timers).length === 0 ? [] : [timersTable(timers, runs)];
    return [table(['', ''], facts), ...clock, shown, starts === undefined ? startsUnknown : startsTable(starts)].join('\n\n');
  });
}

const destinationFacts = ({ success, failure }: Destinations): string[][] => [
  ...(success === undefined ? [] : [['on success', destinationText(success)]]),
  ...(failure === undefined ? [] : [['on failure', destinationText(failure)]]),
];

const destinationText = (destination: Destination): string =>
  destination.kind === 'function' ? `function ${destination.function}` : `webhook ${printable(destination.url)}`;

/** When its timers run; undefined while nobody can say. */
async function timersOf({ name, serving }: Described, api: ApiClient): Promise<TimersView['timers'] | undefined> {
  return Object.keys(serving.config.timers).length === 0 ? [] : api.timers(name).catch(ifAway);
}

const provisionedText = ({ requested, ready, failed }: NonNullable<Described['provisioned']>): string =>
  `${ready} of ${requested} ready${failed === undefined ? '' : `; ${failed.code}: ${printable(failed.detail)}`}`;

const startsUnknown = 'How its starts went is not known: the relay is away.';

function ifAway(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'Unavailable')) throw error;
}

const withoutInstances = (known: boolean): string =>
  known ? 'No instances: the next request starts one.' : 'Which instances run is not known: the agent is away.';
