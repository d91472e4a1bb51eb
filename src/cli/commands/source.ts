import type { SourceConfig } from '../../model/source.ts';
import type { SourceView } from '../../wire/source-calls.ts';
import { connectApi } from '../connect-api.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { changeSource, describeSource, listSources } from '../source-calls.ts';
import { lagText, sourcesTable } from '../sources-table.ts';
import { table } from '../table.ts';

interface JsonFlag {
  readonly json?: boolean;
}

export async function list(name: string | undefined, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const asked = listSources(api, name);
  const views = await output.progress('listing', name === undefined ? asked : knownFunction(api, name, asked));
  output.result(views, () => (views.length === 0 ? 'No sources.' : sourcesTable(views)));
}

export async function describe(name: string, source: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const view = await output.progress('asking', knownFunction(api, name, describeSource(api, name, source)));
  const { serving } = await output.progress('asking', api.describe(name));
  const config = serving.config.sources[source];
  output.result({ ...view, config: config ?? null }, () =>
    table(['', ''], [...viewFacts(view), ...(config === undefined ? [] : configFacts(config))]),
  );
}

export async function change(what: 'pause' | 'resume', name: string, source: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const view = await output.progress(what, knownFunction(api, name, changeSource(api, name, source, what)));
  output.result(view, () =>
    what === 'pause'
      ? `${name}: ${source} is paused; what is being worked on (${view.working}) ends.`
      : `${name}: ${source} goes on${view.state === 'disabled' ? ' when its manifest enables it' : ''}.`,
  );
}

const viewFacts = (view: SourceView): string[][] => [
  ['source', `${view.name} of ${view.function}`],
  ['kind', view.kind],
  ['state', view.state],
  ...(view.error === undefined ? [] : [['error', `${view.error.code}: ${printable(view.error.message)}`]]),
  ...(view.retryAt === undefined ? [] : [['again at', view.retryAt]]),
  ['lag', lagText(view)],
  ['held here', String(view.held)],
  ['being worked on', String(view.working)],
];

/** Its kind is told already. */
const configFacts = ({ origin, ...config }: SourceConfig): string[][] =>
  Object.entries({ ...origin, ...config })
    .filter(([key]) => key !== 'kind')
    .map(([key, value]) => [key, printable(typeof value === 'object' ? JSON.stringify(value) : String(value))]);
