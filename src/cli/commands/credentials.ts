/** Access keys, printed as tools for AWS read them: the format of ~/.aws/credentials. */
import { SwiftletError } from '../../model/errors.ts';
import { claimedTokenId } from '../../model/access-key.ts';
import type { TokenCreated } from '../../wire/access-answers.ts';
import { createToken, listTokens, rotateToken } from '../access-calls.ts';
import { connectApi } from '../connect-api.ts';
import { colours } from '../colours.ts';
import { openOutput, type Output } from '../output.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { timeOf } from '../tenant-flags.ts';
import { coveredBy, notPlaced, type TokenFlags, wishOf } from './token.ts';

interface ProfileFlag {
  readonly profile: string;
}

export type CredentialFlags = TokenFlags & ProfileFlag;

export interface RotateFlags extends ProfileFlag {
  readonly keep?: string;
  readonly platform?: boolean;
  readonly json?: boolean;
}

/** Prints the profile, and nothing else, on standard output. */
export async function create(name: string, flags: CredentialFlags): Promise<void> {
  demandProfile(flags.profile);
  const wish = { ...wishOf(name, flags), accessKey: true };
  const output = openOutput(flags.json ?? false);
  const made = await output.progress('creating', createToken(connectApi(process.env), wish));
  show(output, made, flags.profile);
  output.note(`Shown this once. ${coveredBy(made)}; revoke it with: swiftlet token revoke ${made.id}`);
}

export async function rotate(id: string, { profile, keep, platform = false, json = false }: RotateFlags): Promise<void> {
  demandProfile(profile);
  const keepMs = keep === undefined ? 0 : timeOf(keep, '--keep');
  const output = openOutput(json);
  const tokenId = claimedTokenId(id) ?? id;
  const api = connectApi(process.env);
  const before = (await listTokens(api, platform)).find((one) => one.id === tokenId);
  if (before !== undefined && before.accessKeyId === undefined)
    throw new SwiftletError('BadRequest', `the token ${tokenId} is no access key; "swiftlet credentials list" shows those there are`);
  const made = await output.progress('rotating', rotateToken(api, tokenId, keepMs, platform));
  show(output, made, profile);
  output.note(`Shown this once. The key before ${keep === undefined ? 'is worth nothing any more' : `counts for another ${keep}`}.`);
}

export async function list({ platform = false, json = false }: Pick<RotateFlags, 'platform' | 'json'>): Promise<void> {
  const output = openOutput(json);
  const tokens = await output.progress('listing', listTokens(connectApi(process.env), platform));
  const keys = tokens.filter(({ accessKeyId }) => accessKeyId !== undefined);
  output.result(keys, () =>
    keys.length === 0
      ? 'No access keys. Make one with "swiftlet credentials create <name> --role invoker".'
      : table(
          ['ACCESS KEY', 'TOKEN', 'NAME', 'ROLE', 'FUNCTIONS', 'EXPIRES', 'CREATED'],
          keys.map(({ accessKeyId = '', id, name, role, functions, expired, expiresAt, createdAt }) => [
            accessKeyId,
            id,
            colours.bold(printable(name)),
            role,
            functions?.join(', ') ?? 'all',
            expired ? colours.red('expired') : (expiresAt ?? 'never'),
            createdAt,
          ]),
        ),
  );
}

function show(output: Output, made: TokenCreated, profile: string): void {
  const { accessKeyId, secretAccessKey, placed } = made;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new SwiftletError('Internal', `the platform made the token ${made.id}, but no access key of it; it is of another release`);
  output.result(made, () => `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}`);
  if (!placed) output.note(notPlaced);
}

/** What AWS's tools take for a profile's name, and what cannot break out of its line. @throws SwiftletError BadRequest */
function demandProfile(profile: string): void {
  if (!/^[\w.@/+-]{1,64}$/.test(profile))
    throw new SwiftletError('BadRequest', `--profile: "${profile}" is no name of a profile; it is letters, digits and ._@/+-`);
}
