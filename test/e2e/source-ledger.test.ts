/** A thousand messages of a stream, over kills of its server, the agent and the events role. `npm run torture -- sources` has more. */
import { test } from 'node:test';
import { startNatsStream } from '../brokers/nats-stream.ts';
import { sourceLedger } from './source-ledger.ts';

test('JetStream: of a thousand messages none is lost', { timeout: 60_000 }, async (t) => {
  await using broker = await startNatsStream();
  await sourceLedger(t, broker, { messages: 1_000, failing: 5, limitMs: 40_000 });
});
