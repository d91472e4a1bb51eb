import type { AliasView } from '../../wire/traffic-answers.ts';
import { connectApi } from '../connect-api.ts';
import { colours } from '../colours.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';
import { splitOf, type StickyFlags, stickyOf } from '../rollout-flags.ts';
import { splitText } from '../rollout-text.ts';
import { table } from '../table.ts';
import { listAliases, removeAlias, setAlias } from '../traffic-calls.ts';

interface JsonFlag {
  readonly json?: boolean;
}

export async function list(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const aliases = await output.progress('listing', knownFunction(api, name, listAliases(api, name)));
  output.result(aliases, () =>
    table(
      ['ALIAS', 'VERSIONS', 'STICKY BY', 'SINCE'],
      aliases.map((alias) => [colours.bold(alias.name), splitText(alias.versions), stickyText(alias), alias.updatedAt]),
    ),
  );
}

export async function set(name: string, alias: string, versions: readonly string[], flags: JsonFlag & StickyFlags): Promise<void> {
  const split = splitOf(versions);
  const output = openOutput(flags.json ?? false);
  const api = connectApi(process.env);
  const made = await output.progress('setting', knownFunction(api, name, setAlias(api, name, alias, split, stickyOf(flags))));
  output.result(made, () => `${name}:${made.name} is ${splitText(made.versions)}.`);
  if (!made.placed) output.note('It is not in force everywhere yet: a role is away or slow; GET /healthz of the API says which.');
}

export async function remove(name: string, alias: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  await output.progress('removing', knownFunction(api, name, removeAlias(api, name, alias)));
  output.result({ removed: alias }, () => `The alias ${alias} of ${name} is removed; its versions stay.`);
}

function stickyText({ sticky }: AliasView): string {
  if (sticky === undefined) return '';
  return 'header' in sticky ? `header ${sticky.header}` : `cookie ${sticky.cookie}`;
}
