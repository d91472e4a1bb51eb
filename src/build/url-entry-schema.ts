/** Who may call a function at its address, in `swiftlet.yaml`. */
import { z } from 'zod';
import { secretVariableSchema } from '../model/destination.ts';
import * as limits from '../model/limits.ts';
import { urlRules } from '../model/tenant.ts';
import type { urlAuthSchema } from '../model/url-auth.ts';
import { durationSchema } from './quantities.ts';

const oneOrMore = (one: z.ZodType<string>, what: string) => z.union([one.transform((text) => [text]), z.array(one)], what);

const jwtEntrySchema = z.strictObject(
  {
    issuer: z.string().describe('As its tokens have it in "iss", to the letter'),
    audience: oneOrMore(z.string(), 'it is text, or a list').describe('What "aud" has to be, or one of it'),
    jwks: z.string().optional().describe('Where its keys are; default: where its discovery document says'),
  },
  'it has issuer and audience, and may have jwks',
);

const hmacEntrySchema = z.strictObject(
  {
    secret: oneOrMore(secretVariableSchema, 'it is a variable, or a list of two').describe(
      'The variable in "secrets" or "environment" that has what callers sign with; two while one takes the other’s place',
    ),
    skew: durationSchema(limits.signatureSkewMs).optional().describe('How far the caller’s clock may be off; default 5 m'),
  },
  'it has secret, and may have skew',
);

export const urlEntrySchema = z.union(
  [
    z.enum(urlRules).describe('Anyone, or whoever has a token of the platform'),
    z.strictObject({ jwt: jwtEntrySchema.describe('Whoever has a token that this issuer has signed') }),
    z.strictObject({ hmac: hmacEntrySchema.describe('Whoever signs with this secret') }),
  ],
  `it is ${urlRules.join(', ')}, { jwt: { issuer, audience, jwks } } or { hmac: { secret, skew } }`,
);

export function planUrl(
  entry: z.output<typeof urlEntrySchema> | undefined,
): (typeof urlRules)[number] | z.input<typeof urlAuthSchema> | undefined {
  if (entry === undefined || typeof entry === 'string') return entry;
  if ('jwt' in entry) return { kind: 'jwt', issuer: entry.jwt.issuer, audience: entry.jwt.audience, jwksUri: entry.jwt.jwks };
  return { kind: 'hmac', secretVariables: entry.hmac.secret, skewMs: entry.hmac.skew };
}

/** Where the manifest has what the configuration has there: its parts have other names. */
export const urlPlace = (path: readonly string[]): readonly string[] => path.slice(0, 1);
