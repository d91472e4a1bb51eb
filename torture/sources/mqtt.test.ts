/** A hundred thousand messages: an MQTT topic. */
import { test } from 'node:test';
import { mosquittoWithTopic } from '../../test/e2e/ledger-brokers.ts';
import { sourceLedger } from '../../test/e2e/source-ledger.ts';

test('MQTT: of a hundred thousand messages none is lost', async (t) => {
  await using broker = await mosquittoWithTopic();
  await sourceLedger(t, broker, { messages: 100_000, failing: 5, limitMs: 600_000, source: { batchSize: 100 } });
});
