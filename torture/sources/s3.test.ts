/** A hundred thousand messages: objects of a bucket. */
import { test } from 'node:test';
import { s3WithBucket } from '../../test/e2e/ledger-brokers.ts';
import { sourceLedger } from '../../test/e2e/source-ledger.ts';

test('S3: of a hundred thousand objects none is lost', async (t) => {
  await using broker = await s3WithBucket();
  await sourceLedger(t, broker, { messages: 100_000, failing: 5, limitMs: 600_000, source: { batchSize: 100 } });
});
