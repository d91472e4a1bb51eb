/** A function's sources, from how the manifest writes them to how its configuration takes them. */
import { defaultOrder, type sourceSchema } from '../model/source.ts';
import type { z } from 'zod';
import { kindsOf, type SourceEntry } from './source-entry-schema.ts';

export const planSources = (entries: Readonly<Record<string, SourceEntry>>): Record<string, PlannedSource> =>
  Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, planSource(entry)]));

/** What is to be parsed; its origin was, by the manifest's schema. */
type PlannedSource = Omit<z.input<typeof sourceSchema>, 'origin'> & { readonly origin: object };

function planSource(entry: SourceEntry): PlannedSource {
  const { batch, concurrency, order, start, filters, attempts, backoff, consumer, enabled } = entry;
  const [kind = ''] = kindsOf(entry);
  const settings = (entry as Readonly<Record<string, object | undefined>>)[kind];
  return {
    origin: { kind, ...settings },
    batchSize: batch?.size,
    batchWindowMs: batch?.window,
    concurrency,
    order: order ?? defaultOrder(kind),
    start,
    filters,
    attempts,
    backoffMs: backoff,
    consumer,
    enabled,
  };
}
