/**
 * Messages of a real broker through a function that fails some of them, while the broker, an agent and the events role are killed: none
 * is lost. The function notes each execution in a file; what comes twice is counted.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ConfigInput } from '../../bench/control-api.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { GrowingLedger } from './growing-ledger.ts';
import { killRole } from './platform-processes.ts';

/** A broker with something to consume. */
export interface LedgerBroker extends AsyncDisposable {
  /** Where the function's messages come from. */
  readonly origin: NonNullable<ConfigInput['sources']>[string]['origin'];
  /** The function's. */
  readonly environment: Readonly<Record<string, string>>;
  readonly platformEnvironment?: Readonly<Record<string, string>>;
  /** Resolves when the broker has them all. */
  send(bodies: readonly string[]): Promise<void>;
  /** Kills the broker and starts it again with what it has. */
  restart(): Promise<void>;
}

export interface LedgerOptions {
  readonly messages: number;
  /** Of a hundred messages so many fail at an attempt. */
  readonly failing: number;
  readonly limitMs: number;
  /** How the source is set beside the origin. */
  readonly source?: Partial<NonNullable<ConfigInput['sources']>[string]>;
}

const attempts = 20;
const openedWithinMs = 20_000;
const sentAtOnce = 1_000;

/** Notes each message that it deals with, and says of the others that they failed; of each hundred batches one throws. */
const code = (path: string, failing: number) => `
  import { openSync, writeSync, fsyncSync } from 'node:fs';
  const ledger = openSync(${JSON.stringify(path)}, 'a');
  const keyOf = ({ object }) => decodeURIComponent(object.key.replaceAll('+', ' '));
  const dataOf = (record) => record.body ?? (record.s3 === undefined ? Buffer.from(record.data ?? record.value, 'base64').toString() : keyOf(record.s3));
  const numberOf = (data) => data.n ?? data.new.n;
  const recordsOf = (event) => event.Records ?? Object.values(event.records ?? event.rmqMessagesByQueue).flat();
  const idOf = (record) => record.messageId ?? record.basicProperties?.messageId ?? record.id ?? { partition: record.topic + '-' + record.partition, offset: record.offset };
  export const handler = (event) => {
    if (Math.random() < 0.01) throw new Error('by chance');
    const failed = [];
    let noted = '';
    for (const record of recordsOf(event)) {
      if (Math.random() * 100 < ${failing}) failed.push({ itemIdentifier: idOf(record) });
      else noted += numberOf(JSON.parse(dataOf(record))) + '\\n';
    }
    writeSync(ledger, noted);
    fsyncSync(ledger);
    return { batchItemFailures: failed };
  };`;

async function ask({ platform }: E2e, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${platform.apiUrl}${path}`, { headers: { authorization: `Bearer ${platform.token}` } });
  return (await response.json()) as Record<string, unknown>;
}

/** @returns how many messages were executed more than once */
export async function sourceLedger(
  t: TestContext,
  broker: LedgerBroker,
  { messages, failing, limitMs, source }: LedgerOptions,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'swiftlet-source-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'executed');
  writeFileSync(path, '');
  // Only there can a function write to a file of ours.
  await using e2e = await openE2e({ isolation: 'process', environment: broker.platformEnvironment ?? {} });
  const { origin, environment } = broker;
  const incoming = { origin, batchSize: 10, concurrency: 4, attempts, backoffMs: 20, ...source };
  await e2e.publish('noted', code(path, failing), { environment, maximum: 4, sources: { incoming } });
  // Some brokers keep nothing for those who come later.
  await eventually(
    () => ask(e2e, '/v1/functions/noted/sources/incoming'),
    ({ state }) => state === 'running',
    openedWithinMs,
  );

  using executed = new GrowingLedger(path);
  const reach = (share: number) =>
    eventually(
      () => executed.read(),
      (count) => count >= messages * share,
      limitMs,
    );
  const sending = (async () => {
    for (let from = 0; from < messages; from += sentAtOnce) {
      const count = Math.min(sentAtOnce, messages - from);
      const bodies = Array.from({ length: count }, (_, at) => JSON.stringify({ n: from + at }));
      await broker.send(bodies);
    }
  })();
  await sending;
  await reach(0.1);
  await broker.restart();
  await reach(0.3);
  await killRole(e2e.platform, 'agent');
  await reach(0.5);
  await killRole(e2e.platform, 'events');
  await reach(1);

  const { times } = executed;
  const lost = Array.from({ length: messages }, (_, number) => number).filter((number) => !times.has(number));
  assert.deepEqual(lost, []);
  assert.equal(times.size, messages, 'nothing that nobody sent');
  assert.deepEqual(await ask(e2e, '/v1/dead-letters'), { events: [] }, 'no message is dead by chance');
  const twice = [...times.values()].filter((count) => count > 1).length;
  t.diagnostic(`${messages} messages, ${twice} executed more than once`);
  return twice;
}
