import { SwiftletError } from '../../model/errors.ts';
import { accessRoles } from '../../model/rights.ts';
import type { TokenView } from '../../wire/access-answers.ts';
import { createToken, listTokens, revokeToken, type TokenWish } from '../access-calls.ts';
import { connectApi } from '../connect-api.ts';
import { colours } from '../colours.ts';
import { openOutput } from '../output.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { expiryOf } from '../tenant-flags.ts';

interface ScopeFlags {
  /** For the whole platform instead of a tenant. */
  readonly platform?: boolean;
  readonly json?: boolean;
}

export interface TokenFlags extends ScopeFlags {
  readonly role: string;
  readonly function: readonly string[];
  readonly expires?: string;
}

export const notPlaced = 'It is not in force everywhere yet: a role is away or slow; GET /healthz of the API says which.';

/** What is asked for by flags. @throws SwiftletError BadRequest */
export function wishOf(name: string, { role, function: functions, expires, platform = false }: TokenFlags): TokenWish {
  const known = accessRoles.find((one) => one === role);
  if (known === undefined) throw new SwiftletError('BadRequest', `--role: "${role}" is none; there are ${accessRoles.join(', ')}`);
  return {
    name,
    role: known,
    platform,
    ...(functions.length === 0 ? {} : { functions }),
    ...(expires === undefined ? {} : { expiresAt: expiryOf(expires, Date.now()) }),
  };
}

/** Prints the token, and nothing else, on standard output. */
export async function create(name: string, flags: TokenFlags): Promise<void> {
  const wish = wishOf(name, flags);
  const output = openOutput(flags.json ?? false);
  const made = await output.progress('creating', createToken(connectApi(process.env), wish));
  output.result(made, () => made.token);
  output.note(`Shown this once. ${coveredBy(made)}; revoke it with: swiftlet token revoke ${made.id}`);
  if (!made.placed) output.note(notPlaced);
}

export async function list({ platform = false, json = false }: ScopeFlags): Promise<void> {
  const output = openOutput(json);
  const tokens = await output.progress('listing', listTokens(connectApi(process.env), platform));
  output.result(tokens, () =>
    tokens.length === 0
      ? 'No tokens here but the one of the data folder; --tenant shows those of another tenant, --platform those of the platform. Make one with "swiftlet token create <name> --role developer".'
      : table(
          ['TOKEN', 'NAME', 'ROLE', 'FUNCTIONS', 'EXPIRES', 'CREATED', 'BY'],
          tokens.map((token) => [
            token.id,
            colours.bold(printable(token.name)),
            token.role,
            token.functions?.join(', ') ?? 'all',
            token.expired ? colours.red('expired') : (token.expiresAt ?? 'never'),
            token.createdAt,
            token.createdBy,
          ]),
        ),
  );
}

export async function revoke(id: string, { platform = false, json = false }: ScopeFlags): Promise<void> {
  const output = openOutput(json);
  const revoked = await output.progress('revoking', revokeToken(connectApi(process.env), id, platform));
  output.result(revoked, () => `The token ${revoked.id} (${printable(revoked.name)}) is worth nothing any more.`);
  if (!revoked.placed) output.note(notPlaced);
}

export function coveredBy({ role, tenant, functions }: TokenView): string {
  const where = tenant === '*' ? 'the whole platform' : `tenant ${tenant}`;
  return `${role} of ${functions === undefined ? where : `${functions.join(', ')} in ${where}`}`;
}
