/** Who else says who somebody is: an OpenID Connect issuer, and what its word is worth here. */
import { z } from 'zod';
import { type Grant, grantSchema } from './rights.ts';

const grantRuleSchema = z
  .strictObject({
    /** Of the token; a dot goes into an object: `realm_access.roles`. */
    claim: z.string().min(1).max(200),
    /** What the claim is, or has among others. */
    value: z.string().min(1).max(500),
    ...grantSchema.shape,
  })
  .refine(({ tenant, functions }) => tenant !== '*' || functions === undefined, {
    error: 'functions are of one tenant; name it',
    path: ['functions'],
  });
export type GrantRule = Readonly<z.output<typeof grantRuleSchema>>;

export const issuerAddressSchema = z
  .url({ protocol: /^https?$/, error: 'it is a URL that begins with https://' })
  .refine(
    (url) => url.startsWith('https://') || /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$)/.test(url),
    'keys that come over http could be anybody’s: it begins with https://, except on this machine',
  );

export const issuerSchema = z.strictObject({
  /** As its tokens say it, to the letter. */
  issuer: issuerAddressSchema,
  /** What its tokens are for: this platform. */
  audience: z.string().min(1),
  /** Where its keys are; absent: where its discovery document says. */
  jwksUri: issuerAddressSchema.optional(),
  /** What its tokens' claims are worth. One that matches no rule is refused. */
  grants: z.array(grantRuleSchema).min(1).max(1_000).readonly(),
});
export type Issuer = Readonly<z.output<typeof issuerSchema>>;
export const issuersSchema = z.array(issuerSchema).max(20).readonly();

/** An issuer with its public keys, as control has read them. */
export const publishedIssuersSchema = z.array(issuerSchema.extend({ keys: z.array(z.record(z.string(), z.unknown())) }));
export type PublishedIssuer = Readonly<z.output<typeof publishedIssuersSchema>[number]>;

/** What a token's claims are worth. */
export function grantsOf(claims: Readonly<Record<string, unknown>>, rules: readonly GrantRule[]): Grant[] {
  return rules
    .filter(({ claim, value }) => {
      const found = claimAt(claims, claim);
      return found === value || (Array.isArray(found) && found.includes(value));
    })
    .map(({ role, tenant, functions }) => ({ role, tenant, ...(functions === undefined ? {} : { functions }) }));
}

/** A claim whose name has dots, as URLs have, is found as it is; else each part goes a step inwards. */
function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = value[step as keyof typeof value];
  }
  return value;
}
