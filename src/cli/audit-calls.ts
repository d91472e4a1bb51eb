/** The API's calls about audit records, and about the guards. */
import { z } from 'zod';
import { auditRecordSchema } from '../model/audit.ts';
import type { ApiClient } from './api-client.ts';

const pageSchema = z.object({ records: z.array(auditRecordSchema), next: z.int() });
const anchorSchema = z.object({ seq: z.int(), hash: z.string() });
const verificationSchema = z.object({
  at: z.string(),
  intact: z.boolean(),
  records: z.int(),
  anchor: anchorSchema,
  head: anchorSchema,
  breaks: z.array(z.object({ where: z.string(), seq: z.int(), what: z.string() })),
});
const factSchema = z.object({ means: z.string(), inForce: z.boolean(), detail: z.string(), remedy: z.string().optional() });
const securitySchema = z.object({
  isolation: z.object({ mode: z.string(), facts: z.array(factSchema) }).optional(),
  egress: z.object({
    enforcement: z.string(),
    detail: z.string(),
    opened: z.array(z.string()),
    functions: z.object({ none: z.int(), internet: z.int(), lists: z.int() }),
  }),
  openFunctions: z.object({ count: z.int(), first: z.array(z.object({ tenant: z.string(), function: z.string() })) }),
  tokens: z.object({
    count: z.int(),
    expiring: z.array(z.object({ id: z.string(), tenant: z.string(), expiresAt: z.string(), expired: z.boolean() })),
    endless: z.int(),
  }),
  rootKey: z.object({ source: z.string(), id: z.string(), older: z.array(z.string()) }),
  /** Absent where there is one. */
  agents: z.object({ ready: z.boolean(), detail: z.string() }).optional(),
  certificates: z.array(z.object({ role: z.string(), host: z.string(), endsAt: z.string(), overdue: z.boolean() })).default([]),
  audit: z.object({ verified: verificationSchema.optional() }),
});
export type Verified = z.output<typeof verificationSchema>;
export type Security = z.output<typeof securitySchema>;
export type AuditPage = z.output<typeof pageSchema>;

/** How long the API holds a question back while there is no record. */
const waitSeconds = 20;

export const lastRecords = (api: ApiClient, last: number): Promise<AuditPage> => api.json(pageSchema, 'GET', `/v1/audit?last=${last}`);

/** Waits a while when there is none. */
export const recordsAfter = (api: ApiClient, after: number): Promise<AuditPage> =>
  api.json(pageSchema, 'GET', `/v1/audit?after=${after}&waitS=${waitSeconds}`);

export const verifyAudit = (api: ApiClient): Promise<Verified> => api.json(verificationSchema, 'GET', '/v1/audit/verification');

export const readSecurity = (api: ApiClient): Promise<Security> => api.json(securitySchema, 'GET', '/v1/security');
