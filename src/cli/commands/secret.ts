import { setTimeout as pause } from 'node:timers/promises';
import { SwiftletError } from '../../model/errors.ts';
import type { ApiClient } from '../api-client.ts';
import { connectApi } from '../connect-api.ts';
import { colours } from '../colours.ts';
import { openOutput } from '../output.ts';
import {
  type DescribedSecret,
  describeSecret,
  listSecrets,
  removeSecret,
  rotateRootKey,
  rotateSecret,
  setSecret,
} from '../secret-calls.ts';
import { readValue, type ValueSource } from '../secret-value.ts';
import { table } from '../table.ts';

interface JsonFlag {
  readonly json?: boolean;
}
export interface RotateFlags extends JsonFlag, ValueSource {
  readonly rootKey?: boolean;
  /** False: does not wait until running instances are replaced. */
  readonly wait?: boolean;
}

const lookEveryMs = 200;
/** The longest that a request may take, and with it an instance that is being replaced. */
const replaceLimitMs = 16 * 60_000;

export async function list({ json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  const secrets = await output.progress('listing', listSecrets(connectApi(process.env)));
  output.result(secrets, () => {
    if (secrets.length === 0) return 'No secrets. Set one: printf %s "$VALUE" | swiftlet secret set <name>';
    const rows = secrets.map(({ name, version, changedAt, functions }) => [
      colours.bold(name),
      String(version),
      changedAt,
      functions.join(', '),
    ]);
    return table(['SECRET', 'VERSION', 'SINCE', 'USED BY'], rows);
  });
}

export async function set(name: string, { json = false, ...source }: JsonFlag & ValueSource): Promise<void> {
  const value = await readValue(source, process.stdin);
  const output = openOutput(json);
  const secret = await output.progress('setting', setSecret(connectApi(process.env), name, value));
  output.result(secret, () => `The secret ${name} is set. A function gets it by its manifest: secrets: { VARIABLE: ${name} }`);
}

export async function rotate(
  name: string | undefined,
  { json = false, rootKey = false, wait = true, ...source }: RotateFlags,
): Promise<void> {
  if (rootKey === (name !== undefined))
    throw new SwiftletError('BadRequest', 'say what is to be rotated: the name of a secret, or --root-key');
  const api = connectApi(process.env);
  const output = openOutput(json);
  if (name === undefined) {
    const { rewrapped, ...key } = await output.progress('wrapping', rotateRootKey(api));
    output.result(
      { rewrapped, ...key },
      () => `The root key is ${key.id} now; ${rewrapped} secrets are wrapped with it. No instance was touched.`,
    );
    return;
  }
  const value = await readValue(source, process.stdin);
  const rotated = await output.progress('rotating', rotateSecret(api, name, value));
  const seen = wait ? await output.progress('replacing instances', untilReplaced(api, name)) : undefined;
  output.result(seen ?? rotated, () => {
    const first = `The secret ${name} has its version ${rotated.version}.`;
    return seen === undefined ? `${first} Running instances are being replaced.` : `${first} ${instancesText(seen)}`;
  });
}

export async function remove(name: string, { json = false }: JsonFlag): Promise<void> {
  const output = openOutput(json);
  await output.progress('removing', removeSecret(connectApi(process.env), name));
  output.result({ removed: name }, () => `The secret ${name} is removed.`);
}

/** @throws SwiftletError InitError when new instances do not start: the old ones go on */
async function untilReplaced(api: ApiClient, name: string): Promise<DescribedSecret> {
  const until = performance.now() + replaceLimitMs;
  for (;;) {
    const seen = await describeSecret(api, name);
    if (seen.instances?.failure !== undefined)
      throw new SwiftletError(
        'InitError',
        `no instance starts with the new value, and the old ones go on: ${seen.instances.failure}; rotate it again with a right one`,
      );
    if (seen.instances?.older === 0 || performance.now() > until) return seen;
    await pause(lookEveryMs);
  }
}

function instancesText({ instances }: DescribedSecret): string {
  if (instances === undefined) return 'Whether instances run with it is not known: the agent is away.';
  return instances.older === 0
    ? `All instances that run have it (${instances.current}).`
    : `${instances.older} instances have the one before still, and are being replaced.`;
}
