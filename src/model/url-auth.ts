/** What callers of a function's address show, where it is neither open nor a matter of the platform's tokens. */
import { z } from 'zod';
import * as limits from './limits.ts';
import { issuerAddressSchema } from './issuer.ts';

/** Where the keys are that tokens are signed with. */
export const keySourceSchema = z.object({
  /** As its tokens say it, to the letter. */
  issuer: issuerAddressSchema,
  /** Absent: where the issuer's discovery document says. */
  jwksUri: issuerAddressSchema.optional(),
});
export type KeySource = Readonly<z.output<typeof keySourceSchema>>;

/** Two functions that name the same issuer, and other keys for it, do not trust each other's. */
export const keySourceId = ({ issuer, jwksUri = '' }: KeySource): string => `${issuer} ${jwksUri}`;

/** A token that an issuer has signed. */
const jwtSchema = z.strictObject({
  kind: z.literal('jwt'),
  ...keySourceSchema.shape,
  /** Of which a token is for one. */
  audience: z.array(z.string().min(1).max(500)).min(1).max(limits.maxAudiences),
});
export type JwtRule = Readonly<z.output<typeof jwtSchema>>;

/** A signature over the request, made with a secret that both sides have. */
const hmacSchema = z.strictObject({
  kind: z.literal('hmac'),
  /** That have the secret: two while one takes the other's place. */
  secretVariables: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'it is the name of a variable in "secrets" or "environment"'))
    .min(1)
    .max(2),
  /** How far the caller's clock may be from ours, either way. */
  skewMs: z.int().min(limits.signatureSkewMs.min).max(limits.signatureSkewMs.max).default(limits.signatureSkewMs.default),
});
export type HmacRule = Readonly<z.output<typeof hmacSchema>>;

export const urlAuthSchema = z.discriminatedUnion('kind', [jwtSchema, hmacSchema]);
export type UrlAuth = JwtRule | HmacRule;
