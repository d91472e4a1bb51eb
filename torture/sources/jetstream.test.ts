/** A hundred thousand messages of a stream of NATS JetStream. */
import { test } from 'node:test';
import { startNatsStream } from '../../test/brokers/nats-stream.ts';
import { sourceLedger } from '../../test/e2e/source-ledger.ts';

test('JetStream: of a hundred thousand messages none is lost', async (t) => {
  await using broker = await startNatsStream();
  await sourceLedger(t, broker, { messages: 100_000, failing: 5, limitMs: 600_000, source: { batchSize: 100 } });
});
