import { z } from 'zod';
import { auditRecordSchema } from '../../model/audit.ts';
import { judge } from '../../model/rights.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs, tenantHeader } from './authorise.ts';
import { problems } from './schemas.ts';

const anchorSchema = z.object({ seq: z.int(), hash: z.string() });
export const verificationSchema = z.object({
  at: z.iso.datetime(),
  intact: z.boolean(),
  records: z.int(),
  anchor: anchorSchema.describe('The last record that was let go of; the chain begins behind it'),
  head: anchorSchema.describe('The last record: noted elsewhere, it shows later that nothing before it was cut off'),
  breaks: z.array(z.object({ where: z.enum(['store', 'file']), seq: z.int(), what: z.string() })),
});
const querySchema = z.object({
  after: z.coerce.number().int().min(0).optional().describe('Only records after this number'),
  last: z.coerce.number().int().min(1).max(1_000).default(100).describe('Without `after`: so many of the newest'),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000).describe('Records at most'),
  waitS: z.coerce.number().min(0).max(30).default(0).describe('With `after`: waits so long for a record, when there is none yet'),
});
const pageSchema = z.object({
  records: z.array(auditRecordSchema).describe('Oldest first'),
  next: z.int().describe('What to ask for as `after` next time'),
});

/** The audit records: those of a tenant for its operators, all of them for the platform's. */
export function audit(api: Api, { audit: trail }: Pick<ApiMeans, 'audit'>): void {
  api.get('/v1/audit', {
    config: needs('oversee', 'tenant'),
    schema: {
      summary: 'Read the audit records',
      description: `Who did what to what, when, from where, and how it ended. All tenants' for who oversees the platform, unless ${tenantHeader} names one.`,
      querystring: querySchema,
      response: { 200: pageSchema, ...problems },
    },
    handler: async ({ query: { after, last, limit, waitS }, tenant, caller, headers }) => {
      const seesAll = headers[tenantHeader] === undefined && judge(caller, 'oversee', { kind: 'platform' }) === 'granted';
      const which = seesAll ? {} : { tenant };
      const from = after ?? (await trail.before(last, which.tenant));
      let lines = await trail.lines({ after: from, limit, ...which });
      if (lines.length === 0 && after !== undefined && waitS > 0) {
        await trail.next(waitS * 1_000);
        lines = await trail.lines({ after: from, limit, ...which });
      }
      const records = lines.map((line) => auditRecordSchema.parse(JSON.parse(line)));
      return { records, next: records.at(-1)?.seq ?? from };
    },
  });

  api.get('/v1/audit/verification', {
    config: needs('oversee', 'platform'),
    schema: {
      summary: 'Verify the audit records',
      description:
        'Follows the whole chain of hashes, in the store and in the copy in the data folder, and names the first place where it does not hold.',
      response: { 200: verificationSchema, ...problems },
    },
    handler: async () => {
      const { breaks, ...rest } = await trail.verify();
      return { ...rest, breaks: [...breaks] };
    },
  });
}
