import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { nameSchema } from '../../model/names.ts';
import { coldPhases, type Start, starts } from '../../model/phases.ts';
import { reportSchema, type UsageRow } from '../../wire/relay-calls.ts';
import { findTrace, gbSecondsOf, keptTraces, loggedTraces, readUsage } from '../invocations.ts';
import { slowestOf, summariseStarts } from '../start-summary.ts';
import type { Api, ApiMeans } from './api.ts';
import { needs } from './authorise.ts';
import { existing } from './existing.ts';
import { nameParams, problems } from './schemas.ts';

const traceSchema = z.object({
  function: nameSchema,
  requestId: z.string(),
  time: z.string().describe('When it ended'),
  version: z.int(),
  report: reportSchema,
});
const tracesSchema = z.object({ traces: z.array(traceSchema) });
const tracesQuery = z.object({
  order: z.enum(['newest', 'slowest']).default('newest'),
  limit: z.coerce.number().int().min(1).max(1_000).default(20).describe('Requests at most'),
});
const percentilesSchema = z.object({ p50Ms: z.number(), p95Ms: z.number() });
const startsSchema = z.object({
  warm: z.int().describe('Invocations that found an instance ready, of all days that are kept'),
  thawed: z.int().describe('Invocations that found a frozen one'),
  awakened: z.int().describe('Invocations that found a hibernated one'),
  provisioned: z.int().describe('Invocations that a provisioned one took'),
  cold: z.int().describe('Invocations that waited for one'),
  recent: z.object({
    count: z.int().describe('Cold starts that these figures are of'),
    waited: percentilesSchema.describe('All phases together'),
    phases: z.array(z.object({ phase: z.enum(coldPhases), waited: percentilesSchema, prepaid: percentilesSchema })),
  }),
});
const usageDaySchema = z.object({
  function: nameSchema,
  day: z.iso.date().describe('In UTC'),
  invocations: z.int(),
  coldStarts: z.int().describe('Of the invocations, those that waited for an instance'),
  thawed: z.int().describe('Those that found a frozen one'),
  awakened: z.int().describe('Those that found a hibernated one'),
  provisioned: z.int().describe('Those that a provisioned one took'),
  gbSeconds: z.number().describe('Billed seconds times the memory that was configured, in GiB'),
  billedMs: z.number().describe('Handlers, and user-code init'),
  platformMs: z.number().describe('Phases of starts before init, that requests waited for'),
  prepaidMs: z.number().describe('What pools and publishing had done ahead of starts'),
});
const maxDays = 400;
const usageQuery = z.object({
  function: nameSchema.optional().describe('Only this one’s; also of one that was removed'),
  days: z.coerce.number().int().min(1).max(maxDays).default(30).describe('So many days, today among them'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000).describe('Rows at most'),
});
const usageSchema = z.object({
  usage: z.array(usageDaySchema).describe('Newest day first'),
  complete: z.boolean().describe('False when there are more rows than the limit'),
});

const recentReports = 1_000;
const searchedRecords = 10_000;
const dayMs = 86_400_000;

/** Single invocations: where their time went. */
export function traces(api: Api, { store, logs: { relay }, now }: ApiMeans): void {
  api.get('/v1/traces/:requestId', {
    config: needs('read'),
    schema: {
      summary: 'Where a request’s time went',
      description: 'Of the last requests of each function, of its last cold starts, and of its slowest requests of each hour.',
      params: z.object({
        requestId: z
          .uuid('a request’s id is a UUID; its answer carries it as x-swiftlet-request-id')
          .describe('What the header x-swiftlet-request-id said'),
      }),
      querystring: z.object({ function: nameSchema.optional().describe('Whose request it was; then the search is short') }),
      response: { 200: traceSchema, ...problems },
    },
    handler: async ({ params: { requestId }, query: { function: name }, tenant }) => {
      const found = await findTrace(relay, tenant, requestId, name);
      if (found !== undefined) return found;
      throw new SwiftletError('NotFound', `no request ${requestId} is kept; only the last requests, cold starts and the slowest are`);
    },
  });

  api.get('/v1/functions/:name/traces', {
    config: needs('read'),
    schema: {
      summary: 'Where the time of a function’s requests went',
      params: nameParams,
      querystring: tracesQuery,
      response: { 200: tracesSchema, ...problems },
    },
    handler: async ({ params: { name }, query: { order, limit }, tenant }) => {
      existing(await store.findFunction(tenant, name), name);
      const logged = await loggedTraces(relay, tenant, name, searchedRecords);
      const chosen =
        order === 'newest'
          ? logged.slice(-limit).reverse()
          : slowestOf([...(await keptTraces(relay, tenant, name, searchedRecords)), ...logged], limit);
      return { traces: chosen.map((trace) => ({ function: name, ...trace })) };
    },
  });

  api.get('/v1/functions/:name/starts', {
    config: needs('read'),
    schema: {
      summary: 'How a function’s starts went',
      params: nameParams,
      response: { 200: startsSchema, ...problems },
    },
    handler: async ({ params: { name }, tenant }) => {
      existing(await store.findFunction(tenant, name), name);
      const query = { tenant, function: name, from: dayBefore(now(), maxDays - 1), limit: maxDays };
      const [rows, kept] = await Promise.all([readUsage(relay, query), keptTraces(relay, tenant, name, recentReports)]);
      const { count, waited, phases } = summariseStarts(kept);
      return {
        ...startsIn(rows),
        recent: { count, waited, phases: [...phases] },
      };
    },
  });
}

/** What functions used. */
export function usage(api: Api, { logs: { relay }, now }: ApiMeans): void {
  api.get('/v1/usage', {
    config: needs('read'),
    schema: {
      summary: 'What functions used, by function and day',
      description: 'Kept for 400 days, also of functions that were removed.',
      querystring: usageQuery,
      response: { 200: usageSchema, ...problems },
    },
    handler: async ({ query: { function: name, days, limit }, tenant }) => {
      const which = name === undefined ? {} : { function: name };
      const rows = await readUsage(relay, { tenant, ...which, from: dayBefore(now(), days - 1), limit: limit + 1 });
      return { usage: rows.slice(0, limit).map(usageDay), complete: rows.length <= limit };
    },
  });
}

function startsIn(rows: readonly UsageRow[]): Record<Start, number> {
  const sums = { warm: 0, thawed: 0, awakened: 0, provisioned: 0, cold: 0 };
  for (const row of rows) for (const start of starts) sums[start] += row[start];
  return sums;
}

const dayBefore = (now: number, days: number): string => new Date(now - days * dayMs).toISOString().slice(0, 'yyyy-mm-dd'.length);

const usageDay = ({
  function: name,
  day,
  warm,
  thawed,
  awakened,
  provisioned,
  cold,
  billedMs,
  mebibyteMs,
  platformMs,
  prepaidMs,
}: UsageRow) => ({
  function: name,
  day,
  invocations: warm + thawed + awakened + provisioned + cold,
  coldStarts: cold,
  thawed,
  awakened,
  provisioned,
  gbSeconds: gbSecondsOf(mebibyteMs),
  billedMs,
  platformMs,
  prepaidMs,
});
