/** A hundred thousand messages: changes of a PostgreSQL table. */
import { test } from 'node:test';
import { postgresqlWithTable } from '../../test/e2e/ledger-brokers.ts';
import { sourceLedger } from '../../test/e2e/source-ledger.ts';

test('PostgreSQL: of a hundred thousand messages none is lost', async (t) => {
  await using broker = await postgresqlWithTable();
  await sourceLedger(t, broker, { messages: 100_000, failing: 5, limitMs: 600_000, source: { batchSize: 100 } });
});
