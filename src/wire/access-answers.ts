/** What the control API answers about tenants and tokens. */
import { z } from 'zod';
import { nameSchema } from '../model/names.ts';
import { grantSchema } from '../model/rights.ts';
import { tenantSchema } from '../model/tenant.ts';
import { tokenIdSchema } from '../model/token.ts';

const placed = z.boolean().describe('Whether every gateway and agent acts on it already');

export const tokenViewSchema = z.object({
  id: tokenIdSchema,
  name: z.string(),
  ...grantSchema.shape,
  createdAt: z.iso.datetime(),
  createdBy: z.string().describe('Who made it: the id of a token, or root'),
  expiresAt: z.iso.datetime().optional(),
  expired: z.boolean(),
  accessKeyId: z.string().optional().describe('What tools for AWS call it by; absent for a token that signs nothing'),
});
export type TokenView = z.output<typeof tokenViewSchema>;
export const tokensViewSchema = z.object({ tokens: z.array(tokenViewSchema) });
export const tokenCreatedSchema = tokenViewSchema.extend({
  token: z.string().describe('Shown this once: only its hash is kept'),
  secretAccessKey: z.string().optional().describe('What tools for AWS sign with; shown this once. It is kept sealed, to verify signatures'),
  placed,
});
export type TokenCreated = z.output<typeof tokenCreatedSchema>;
export const tokenRevokedSchema = tokenViewSchema.extend({ placed });

export const tenantViewSchema = tenantSchema.extend({ functionsUrl: z.url().describe('Where its functions are') });
export type TenantView = z.output<typeof tenantViewSchema>;
export const tenantsViewSchema = z.object({ tenants: z.array(tenantViewSchema), next: nameSchema.optional() });
export const tenantDescribedSchema = tenantViewSchema.extend({
  use: z.object({
    functions: z.int(),
    storageBytes: z.int().describe('Of its artifacts, packed'),
    gbSecondsToday: z.number().optional().describe('Absent while the relay is away'),
  }),
});
export type TenantDescribed = z.output<typeof tenantDescribedSchema>;
export const tenantSetSchema = tenantViewSchema.extend({ placed });
