import { SwiftletError } from '../../model/errors.ts';
import type { RolloutView } from '../../wire/traffic-answers.ts';
import { connectApi } from '../connect-api.ts';
import { knownFunction } from '../known-function.ts';
import { openOutput } from '../output.ts';
import { planOf, type RolloutFlags } from '../rollout-flags.ts';
import { rolloutRows, splitText } from '../rollout-text.ts';
import { table } from '../table.ts';
import { abortRollout, rollBack, rolloutOf, startRollout } from '../traffic-calls.ts';

interface JsonFlag {
  readonly json?: boolean;
}

export async function start(name: string, version: string, flags: JsonFlag & RolloutFlags): Promise<void> {
  const number = versionNumber(version);
  const plan = planOf(flags);
  const output = openOutput(flags.json ?? false);
  const api = connectApi(process.env);
  const rollout = await output.progress('starting', knownFunction(api, name, startRollout(api, name, number, plan)));
  output.result(rollout, () => describe(rollout));
}

export async function status(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const rollout = await output.progress('asking', knownFunction(api, name, rolloutOf(api, name)));
  output.result(rollout, () => describe(rollout));
}

export async function abort(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const api = connectApi(process.env);
  const rollout = await output.progress('ending', knownFunction(api, name, abortRollout(api, name)));
  output.result(rollout, () => `The rollout of version ${rollout.to} is ended: ${name} is ${splitText(rollout.live)}.`);
}

export async function rollback(name: string, version: string | undefined, { json = false }: JsonFlag): Promise<void> {
  const number = version === undefined ? undefined : versionNumber(version);
  const output = openOutput(json);
  const api = connectApi(process.env);
  const { live, placed } = await output.progress('going back', knownFunction(api, name, rollBack(api, name, number)));
  output.result({ live, placed }, () => `${name} is ${splitText(live)}.`);
  if (!placed) output.note('It is not in force everywhere yet: a role is away or slow; GET /healthz of the API says which.');
}

const describe = (rollout: RolloutView): string => table(['', ''], rolloutRows(rollout));

function versionNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new SwiftletError('BadRequest', `"${text}" is no version; it is a number that "swiftlet versions" shows`);
}
