/** A thousand messages of each broker, over kills of it, an agent and the events role. `npm run torture -- sources` has more. */
import { describe, it } from 'node:test';
import * as brokers from './ledger-brokers.ts';
import { sourceLedger } from './source-ledger.ts';

const withSomethingToConsume = {
  'Redis Streams': brokers.redisWithStream,
  RabbitMQ: brokers.rabbitmqWithQueue,
  MQTT: brokers.mosquittoWithTopic,
  Kafka: brokers.kafkaWithTopic,
  PostgreSQL: brokers.postgresqlWithTable,
  'a bucket': brokers.s3WithBucket,
  'a folder': brokers.folderWithFiles,
};

// Most of the time each waits for something to start again.
describe('of a thousand messages none is lost', { concurrency: 2 }, () => {
  for (const [name, start] of Object.entries(withSomethingToConsume))
    it(`by ${name}`, { timeout: 90_000 }, async (t) => {
      await using broker = await start();
      await sourceLedger(t, broker, { messages: 1_000, failing: 5, limitMs: 60_000 });
    });
});
