import type { Destination, Destinations } from '../../model/destination.ts';
import { SwiftletError } from '../../model/errors.ts';
import { callsTable } from '../calls-table.ts';
import { policyText, usualPolicy } from '../../model/network-policy.ts';
import { queueText } from '../../model/queue-target.ts';
import { addressFacts } from '../address-text.ts';
import { colours } from '../colours.ts';
import type { SourceView } from '../../wire/source-calls.ts';
import type { TimersView } from '../../wire/timer-calls.ts';
import type { ApiClient, Described } from '../api-client.ts';
import { connectApi } from '../connect-api.ts';
import { keepWarmText } from '../keep-warm-text.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { protectionFacts } from '../protection-text.ts';
import { scaleFacts, scalingTable } from '../scaling-text.ts';
import { listSources } from '../source-calls.ts';
import { sourcesTable } from '../sources-table.ts';
import { startsTable } from '../starts-table.ts';
import { sizeLines } from '../size-text.ts';
import { table } from '../table.ts';
import { timersTable } from '../timers-table.ts';

export async function describe(name: string, { json = false }: { json?: boolean }): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const described = await output.progress('asking', knownFunction(api, name, api.describe(name)));
  // Without the relay all else is still worth telling.
  const starts = await output.progress('asking', api.starts(name).catch(ifAway));
  const runs = await timersOf(described, api);
  const calls = await output.progress('asking', api.calls(name).catch(ifAwayOrOlder));
  const sources = await sourcesOf(described, api);
  const told = { starts: starts ?? null, timers: runs ?? null, sources: sources ?? null, calls: calls ?? null };
  output.result({ ...described, ...told }, () => {
    const { serving, instances, instancesKnown, provisioned, scaling } = described;
    const {
      environment,
      async: later,
      timers,
      sources: declared,
      destinations,
      rollout,
      calls: grants,
      network = usualPolicy,
      secrets,
      scale,
      protect,
      url,
      lanes,
      groups,
      routes,
      cors,
      keepWarm,
      ...config
    } = serving.config;
    const facts = [
      ['function', colours.bold(described.name)],
      ['version', `${serving.number}, published ${serving.createdAt}`],
      ['code', `${serving.digest.slice(0, 12)}, ${Math.ceil(serving.size / 1024)} KiB`],
      ...(described.bundle === undefined ? [] : [['starts as', bundleText(described.bundle)]]),
      ...sizeLines(described.sizeAdvice, described.bundle?.kind === 'bundled').map((line) => ['size', printable(line)]),
      ...Object.entries(config).map(([key, value]) => [key, String(value)]),
      ...(keepWarm === undefined ? [] : [['kept warm', keepWarmText(keepWarm)]]),
      ...scaleFacts(scale),
      ...addressFacts({ url, lanes, groups, routes, cors }),
      ...protectionFacts(protect),
      ...Object.entries(later).map(([key, value]) => [`async.${key}`, String(value)]),
      ...destinationFacts(destinations),
      ...(grants.length === 0 ? [] : [['may call', grants.join(', ')]]),
      ['network', printable(policyText(network))],
      ...(described.networkCounts === undefined ? [] : [['connections', countsText(described.networkCounts)]]),
      ['rollout', rollout.strategy],
      ...(provisioned === undefined ? [] : [['provisioned', provisionedText(provisioned)]]),
      ['environment', Object.keys(environment).join(', ') || 'none'],
      ['secrets', secretsText(secrets)],
    ];
    // Of one agent there is nothing to tell apart.
    const areSeveral = instances.some(({ agent }) => agent !== undefined);
    const running = instances.map((instance) => [
      instance.instanceId,
      ...(areSeveral ? [String(instance.agent ?? '')] : []),
      String(instance.version),
      instance.provisioned ? `${instance.state}, provisioned` : instance.state,
      `${Math.round(instance.memoryBytes / 1024 / 1024)} MiB`,
      instance.startedAt,
    ]);
    const shown =
      running.length > 0
        ? table(['INSTANCE', ...(areSeveral ? ['AGENT'] : []), 'VERSION', 'STATE', 'MEMORY', 'STARTED'], running)
        : withoutInstances(instancesKnown);
    const clock = Object.keys(timers).length === 0 ? [] : [timersTable(timers, runs)];
    const queues = Object.keys(declared).length === 0 ? [] : [sourcesTable(sources)];
    const why = scalingTable(scaling);
    const called = calls === undefined ? [] : [callsTable(calls)];
    const begun = starts === undefined ? startsUnknown : startsTable(starts);
    const parts = [table(['', ''], facts), ...clock, ...queues, shown, why, begun, ...called];
    return parts.filter((part) => part !== undefined).join('\n\n');
  });
}

/** Which variables have which secrets. */
const secretsText = (secrets: Described['serving']['config']['secrets']): string =>
  Object.entries(secrets)
    .map(([variable, { secret, as }]) => `${variable} (${secret}, as ${as})`)
    .join(', ') || 'none';

const destinationFacts = ({ success, failure }: Destinations): string[][] => [
  ...(success === undefined ? [] : [['on success', destinationText(success)]]),
  ...(failure === undefined ? [] : [['on failure', destinationText(failure)]]),
];

function destinationText(destination: Destination): string {
  switch (destination.kind) {
    case 'function':
      return `function ${destination.function}`;
    case 'webhook':
      return `webhook ${printable(destination.url)}`;
    case 'queue':
      return `queue ${printable(queueText(destination.to))}`;
  }
}

/** When its timers run; undefined while nobody can say. */
async function timersOf({ name, serving }: Described, api: ApiClient): Promise<TimersView['timers'] | undefined> {
  return Object.keys(serving.config.timers).length === 0 ? [] : api.timers(name).catch(ifAway);
}

/** How its sources are; undefined while nobody can say. */
async function sourcesOf({ name, serving }: Described, api: ApiClient): Promise<SourceView[] | undefined> {
  return Object.keys(serving.config.sources).length === 0 ? [] : listSources(api, name).catch(ifAway);
}
function bundleText(bundle: NonNullable<Described['bundle']>): string {
  if (bundle.kind !== 'plain') return bundle.kind === 'bundled' ? 'one file, compiled ahead' : 'it is; a bundle is being made';
  return bundle.why === '' ? 'it is' : `it is: ${printable(bundle.why)}`;
}

const countsText = ({ sentBytes, receivedBytes, connections, refused }: NonNullable<Described['networkCounts']>): string =>
  `${connections} opened, ${kibibytes(sentBytes)} sent, ${kibibytes(receivedBytes)} received, ${refused} packets refused`;
const kibibytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;

const provisionedText = ({ requested, ready, failed }: NonNullable<Described['provisioned']>): string =>
  `${ready} of ${requested} ready${failed === undefined ? '' : `; ${failed.code}: ${printable(failed.detail)}`}`;

const startsUnknown = 'How its starts went is not known: the relay is away.';

function ifAway(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'Unavailable')) throw error;
}

/** A platform of the release before has no such thing, and says so. */
function ifAwayOrOlder(error: unknown): undefined {
  if (!(error instanceof SwiftletError && error.code === 'NotFound')) ifAway(error);
}

const withoutInstances = (known: boolean): string =>
  known ? 'No instances: the next request starts one.' : 'Which instances run is not known: the agent is away.';
